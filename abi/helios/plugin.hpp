// SPDX-License-Identifier: Apache-2.0
#pragma once

// Write a plugin in C++: include this file, write a function per hook, name it in a macro.
//
//   #include "helios/plugin.hpp"
//   using namespace helios::plugin;
//
//   Verdict no_drop(const QueryContext& context) {
//     if (context.query().view().starts_with("DROP")) return block("no DROP here");
//     return proceed();
//   }
//   HELIOS_PRE_QUERY(no_drop)
//
// Compile it with nothing but clang and lld:
//
//   clang++-19 --target=wasm32 -O2 -std=c++20 -nostdlib -ffreestanding -fno-exceptions -Wl,--no-entry
//     -I abi no_drop.cpp -o no_drop.wasm
//
// or as a WASI reactor, with a C and C++ library. The same file compiles natively against
// helios/fake_host.hpp, for unit tests under sanitizers and for debuggers. docs/writing-plugins.md is the
// guide; helios_abi2.h is what is underneath.

#include "helios/event.hpp"
#include "helios/fields.hpp"
#include "helios/json.hpp"
#include "helios/memory.hpp"
#include "helios/numbers.hpp"
#include "helios/query.hpp"
#include "helios/state.hpp"
#include "helios/text.hpp"
#include "helios/write.hpp"
#include "helios_abi2.h"

#include <stddef.h>
#include <stdint.h>

namespace helios::plugin {

using PreQuery = Verdict (*)(const QueryContext&);
using PostQuery = void (*)(const QueryContext&, const Outcome&);
using Settled = void (*)(const QueryContext&, Settlement);
using CheckWrite = Verdict (*)(const WriteContext&);  // proceed() or block()
using OnEvent = void (*)(const EventContext&);

namespace detail {

// Tells the host. A verdict that it does not take must not be lost.
inline void give(const Verdict& verdict) {
  switch (verdict.action) {
    case Verdict::Action::proceed:
    case Verdict::Action::answer: return;  // the host has the rows
    case Verdict::Action::block:
      helios_block(verdict.text.data(), length_of(verdict.text), verdict.sqlstate.data(),
                   length_of(verdict.sqlstate));
      return;
    case Verdict::Action::rewrite:
      if (helios_rewrite(verdict.text.data(), length_of(verdict.text)) != HELIOS_OK) fail();
      return;
  }
  fail();
}

inline int32_t run_pre_query(PreQuery hook) {
  const HookMemory memory;
  give(hook(QueryContext()));
  return 0;
}

inline int32_t run_post_query(PostQuery hook) {
  const HookMemory memory;
  hook(QueryContext(), Outcome::present());
  return 0;
}

inline int32_t run_settled(Settled hook) {
  const HookMemory memory;
  hook(QueryContext(),
       settlement_of(number_field(HELIOS_SETTLEMENT).value_or(HELIOS_SETTLED_UNKNOWN)));
  return 0;
}

inline int32_t run_check_write(CheckWrite hook) {
  const HookMemory memory;
  give(hook(WriteContext()));
  return 0;
}

inline int32_t run_event(OnEvent hook) {
  const HookMemory memory;
  hook(EventContext());
  return 0;
}

#ifdef __wasm__
extern "C" {
HELIOS_EXPORT("helios_abi_version")
inline int32_t helios_abi2_version() { return HELIOS_ABI_VERSION; }
}
#endif

}  // namespace detail
}  // namespace helios::plugin

// Each makes `function` (see PreQuery, PostQuery, Settled, CheckWrite, OnEvent) the plugin's hook. In a native build,
// helios/fake_host.hpp calls them.
#define HELIOS_PRE_QUERY(function)                                         \
  extern "C" HELIOS_EXPORT("pre_query") int32_t helios_guest_pre_query() { \
    return helios::plugin::detail::run_pre_query(function);                \
  }
#define HELIOS_POST_QUERY(function)                                          \
  extern "C" HELIOS_EXPORT("post_query") int32_t helios_guest_post_query() { \
    return helios::plugin::detail::run_post_query(function);                 \
  }
#define HELIOS_SETTLED(function)                                       \
  extern "C" HELIOS_EXPORT("settled") int32_t helios_guest_settled() { \
    return helios::plugin::detail::run_settled(function);              \
  }
#define HELIOS_CHECK_WRITE(function)                                           \
  extern "C" HELIOS_EXPORT("check_write") int32_t helios_guest_check_write() { \
    return helios::plugin::detail::run_check_write(function);                  \
  }
#define HELIOS_EVENT(function)                                     \
  extern "C" HELIOS_EXPORT("event") int32_t helios_guest_event() { \
    return helios::plugin::detail::run_event(function);            \
  }
