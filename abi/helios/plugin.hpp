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
// The same file compiles natively against helios/fake_host.hpp, for unit tests under sanitizers.
// docs/writing-plugins.md is the guide; helios_abi1.h is what is underneath.

#include "helios/json.hpp"
#include "helios/memory.hpp"
#include "helios/numbers.hpp"
#include "helios/query.hpp"
#include "helios/state.hpp"
#include "helios/text.hpp"
#include "helios_abi1.h"

#include <stddef.h>
#include <stdint.h>

namespace helios::plugin {

using PreQuery = Verdict (*)(const QueryContext&);
using PostQuery = void (*)(const QueryContext&, const Outcome&);

namespace detail {

inline String verdict_json(const Verdict& verdict) {
  switch (verdict.action) {
    case Verdict::Action::proceed: return {};  // no answer is the cheapest way to say so
    case Verdict::Action::block:
      return concat(R"({"action":"block","value":)", json_string(verdict.text),
                    verdict.sqlstate.empty() ? "" : R"(,"sqlstate":)",
                    verdict.sqlstate.empty() ? String() : json_string(verdict.sqlstate), "}");
    case Verdict::Action::rewrite:
      return concat(R"({"action":"rewrite","value":)", json_string(verdict.text), "}");
  }
  fail();
}

// A statement that the plugin cannot read is refused: it cannot be judged.
inline String run_pre_query(PreQuery hook, StringView input) {
  const Optional<QueryContext> context = QueryContext::from(Json::parse(input));
  return verdict_json(context ? hook(*context) : block("invalid query context"));
}

// The input is [context, outcome]; an object with both names is read as well.
inline void run_post_query(PostQuery hook, StringView input) {
  const Json both = Json::parse(input).value_or(Json());
  const bool is_array = both.kind() == Json::Kind::array;
  const auto context =
      QueryContext::from(is_array ? both.element(0) : both.member("query_context"));
  const auto outcome = Outcome::from(is_array ? both.element(1) : both.member("outcome"));
  if (!context || !outcome) fail();
  hook(*context, *outcome);
}

#ifdef __wasm__

// Hands a text to the host, which gives it back through dealloc().
inline int64_t leave(const String& text) {
  char* out = static_cast<char*>(allocate(text.size()));
  for (size_t i = 0; i < text.size(); ++i) out[i] = text[i];
  const uint64_t place = reinterpret_cast<uintptr_t>(out);
  return static_cast<int64_t>(place << 32 | text.size());
}

extern "C" {

HELIOS_ABI1_EXPORT("alloc")
inline void* helios_abi1_alloc(uint32_t bytes) { return allocate(bytes); }

HELIOS_ABI1_EXPORT("dealloc")
inline void helios_abi1_dealloc(void* block, uint32_t) { release_from(block); }

}  // extern "C"

#endif

}  // namespace detail
}  // namespace helios::plugin

#ifdef __wasm__

// Makes `function` (see PreQuery) the plugin's pre_query.
#define HELIOS_PRE_QUERY(function)                                                            \
  extern "C" HELIOS_ABI1_EXPORT("pre_query") int64_t helios_abi1_pre_query(const char* input, \
                                                                           uint32_t length) { \
    using namespace helios::plugin;                                                           \
    return detail::leave(detail::run_pre_query(function, StringView(input, length)));         \
  }

// Makes `function` (see PostQuery) the plugin's post_query.
#define HELIOS_POST_QUERY(function)                                                             \
  extern "C" HELIOS_ABI1_EXPORT("post_query") int64_t helios_abi1_post_query(const char* input, \
                                                                             uint32_t length) { \
    using namespace helios::plugin;                                                             \
    detail::run_post_query(function, StringView(input, length));                                \
    return 0;                                                                                   \
  }

#else

// helios/fake_host.hpp calls these.
#define HELIOS_PRE_QUERY(function)                                                   \
  helios::plugin::String helios_native_pre_query(helios::plugin::StringView input) { \
    return helios::plugin::detail::run_pre_query(function, input);                   \
  }
#define HELIOS_POST_QUERY(function)                                 \
  void helios_native_post_query(helios::plugin::StringView input) { \
    helios::plugin::detail::run_post_query(function, input);        \
  }

#endif
