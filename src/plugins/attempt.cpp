// SPDX-License-Identifier: Apache-2.0
#include "plugins/attempt.hpp"

#include "plugins/abi/abi1_authentication.hpp"
#include "plugins/abi/abi1_verdict.hpp"
#include "plugins/abi/host_function.hpp"

#include <cstring>
#include <expected>
#include <memory>
#include <utility>

namespace helios::plugins {

namespace {

AttemptEnd failed(std::string why, std::string place = {}) {
  return {.kind = AttemptEnd::Kind::failed, .failure = std::move(why), .place = std::move(place)};
}

// What a fault means: when a host function ended the guest, its reason counts, not the trap.
AttemptEnd end_of(const Fault& fault, const HostCalls& calls) {
  switch (calls.stopped()) {
    case HostCalls::Stop::doomed: return {.kind = AttemptEnd::Kind::doomed};
    case HostCalls::Stop::not_resident: return {.kind = AttemptEnd::Kind::not_resident};
    case HostCalls::Stop::store_failed: return {.kind = AttemptEnd::Kind::store_failed};
    case HostCalls::Stop::bad_pointer:
      return failed("trap: " + std::string(calls.stopped_function()) +
                    " was handed a range outside the plugin's memory");
    case HostCalls::Stop::bad_verdict: return failed(calls.stop_text());
    case HostCalls::Stop::guest_exit: return failed("trap: called proc_exit");
    case HostCalls::Stop::out_of_time: return {.kind = AttemptEnd::Kind::overran};
    case HostCalls::Stop::fault:
      return {.kind = AttemptEnd::Kind::fault, .failure = calls.stop_text()};
    case HostCalls::Stop::too_early: return {.kind = AttemptEnd::Kind::too_early};
    case HostCalls::Stop::none: break;
  }
  switch (fault.kind) {
    case Fault::Kind::interrupted: return {.kind = AttemptEnd::Kind::overran};
    case Fault::Kind::trap: return failed("trap: " + fault.message, fault.place);
    case Fault::Kind::refused: return failed("no instance: " + fault.message);
  }
  return {};
}

GuestFunction export_of(hooks::HookPoint point) {
  switch (point) {
    case hooks::HookPoint::authenticate: return GuestFunction::authenticate;
    case hooks::HookPoint::pre_query: return GuestFunction::pre_query;
    case hooks::HookPoint::post_query: return GuestFunction::post_query;
    case hooks::HookPoint::settled: return GuestFunction::settled;
    case hooks::HookPoint::check_write: return GuestFunction::check_write;
    case hooks::HookPoint::event: return GuestFunction::event;
  }
  return GuestFunction::pre_query;
}

// The guest side of one attempt.
class Guest {
 public:
  Guest(const AttemptInput& input, HostCalls& calls, WasmInstance& instance)
      : input_(input), calls_(calls), instance_(instance) {}

  std::expected<std::uint64_t, AttemptEnd> call_hook();
  std::expected<std::string_view, AttemptEnd> answer(std::uint64_t packed);

 private:
  std::expected<std::uint32_t, AttemptEnd> copy_in(std::string_view bytes);
  std::unexpected<AttemptEnd> end(const Fault& fault) const {
    return std::unexpected(end_of(fault, calls_));
  }

  const AttemptInput& input_;
  HostCalls& calls_;
  WasmInstance& instance_;
};

std::expected<std::uint32_t, AttemptEnd> Guest::copy_in(std::string_view bytes) {
  const auto called = instance_.call(GuestFunction::alloc, {bytes.size()});
  if (!called) return end(called.error());
  const auto pointer = static_cast<std::uint32_t>(*called);
  // Address 0 is how allocators say that there is no room. Writing there regardless would put the
  // client's text over the plugin's own data.
  if (pointer == 0)
    return std::unexpected(
        failed("alloc had no room for " + std::to_string(bytes.size()) + " bytes of input"));
  const GuestMemory memory = instance_.memory();
  if (!in_memory(memory, pointer, bytes.size()))
    return std::unexpected(failed("alloc returned room outside the plugin's memory"));
  if (!input_.layout.has_room(pointer, bytes.size()))
    return std::unexpected(
        failed("alloc had no room for " + std::to_string(bytes.size()) +
               " bytes of input: they would lie over the plugin's own stack or data"));
  std::memcpy(memory.base + pointer, bytes.data(), bytes.size());
  return pointer;
}

std::expected<std::uint64_t, AttemptEnd> Guest::call_hook() {
  const auto pointer = copy_in(input_.json);
  if (!pointer) return std::unexpected(pointer.error());
  const auto called = instance_.call(export_of(input_.point), {*pointer, input_.json.size()});
  if (!called) return end(called.error());
  return *called;
}

// The bytes that a hook's result names; empty when it names none. Valid as long as the guest.
std::expected<std::string_view, AttemptEnd> Guest::answer(std::uint64_t packed) {
  const auto pointer = static_cast<std::uint32_t>(packed >> 32);
  const auto length = static_cast<std::int32_t>(static_cast<std::uint32_t>(packed));
  if (length <= 0) return std::string_view();
  const auto size = static_cast<std::uint64_t>(length);
  if (size > input_.max_output_bytes)
    return std::unexpected(failed("answered " + std::to_string(size) + " bytes; the limit is " +
                                  std::to_string(input_.max_output_bytes)));
  const GuestMemory memory = instance_.memory();
  if (!in_memory(memory, pointer, size))
    return std::unexpected(failed("its answer lies outside the plugin's memory"));
  return std::string_view(memory.base + pointer, size);
}

}  // namespace

std::expected<std::unique_ptr<WasmInstance>, AttemptEnd> make_ready(const AttemptInput& input,
                                                                    HostCalls& calls) {
  auto made = input.module.instantiate({.memory_bytes = input.memory_bytes,
                                        .table_elements = input.table_elements,
                                        .deadline_ticks = input.deadline_ticks,
                                        .calls = &calls});
  if (!made) return std::unexpected(end_of(made.error(), calls));
  if (input.call_initialize)
    if (const auto called = (*made)->call(GuestFunction::initialize, {}); !called)
      return std::unexpected(end_of(called.error(), calls));
  return std::move(*made);
}

namespace {

// The verdict of a hook of ABI 2: what it told the imports.
AttemptEnd call_abi2(const AttemptInput& input, HostCalls& calls, WasmInstance& instance) {
  const auto called = instance.call(export_of(input.point), {});
  if (!called) return end_of(called.error(), calls);
  const auto code = static_cast<std::int32_t>(static_cast<std::uint32_t>(*called));
  if (code != 0) return failed("returned " + std::to_string(code));
  AttemptEffects& effects = *calls.scope().effects;
  if (!effects.any) return {};
  if (effects.answer) {
    hooks::Answer& answer = *effects.answer;
    if (!answer.rows.empty() && answer.rows.back().size() != answer.columns.size())
      return failed("its answer ends within a row");
    effects.verdict.answer = std::make_shared<const hooks::Answer>(std::move(answer));
    effects.answer.reset();
  }
  return {};
}

AttemptEnd call_abi1(const AttemptInput& input, HostCalls& calls, WasmInstance& instance) {
  Guest guest(input, calls, instance);
  auto packed = guest.call_hook();
  if (!packed) return std::move(packed.error());
  // Plugins of this ABI return JSON from post_query, which nothing has ever looked at.
  if (input.point == hooks::HookPoint::post_query) return {};
  auto json = guest.answer(*packed);
  if (!json) return std::move(json.error());
  if (json->empty()) return {};
  if (input.point == hooks::HookPoint::authenticate) {
    auto answer = abi1_authentication(*json);
    if (!answer) return failed("bad answer: " + answer.error().message);
    calls.effects()->authentication = std::move(*answer);
    return {};
  }
  auto verdict = abi1_verdict(*json);
  if (!verdict) return failed("bad answer: " + verdict.error().message);
  if (verdict->action != hooks::Verdict::Action::proceed)
    calls.effects()->verdict = std::move(*verdict);
  return {};
}

}  // namespace

AttemptEnd run_attempt(const AttemptInput& input, HostCalls& calls,
                       std::unique_ptr<WasmInstance>& instance) {
  if (instance != nullptr) {
    instance->arm(calls, input.deadline_ticks);
  } else {
    auto made = make_ready(input, calls);
    if (!made) return std::move(made.error());
    instance = std::move(*made);
  }
  return input.is_abi2 ? call_abi2(input, calls, *instance) : call_abi1(input, calls, *instance);
}

}  // namespace helios::plugins
