// SPDX-License-Identifier: Apache-2.0
#include "plugins/attempt.hpp"

#include "plugins/abi1_authentication.hpp"
#include "plugins/abi1_verdict.hpp"
#include "plugins/host_function.hpp"

#include <cstring>
#include <expected>
#include <memory>
#include <utility>

namespace helios::plugins {

namespace {

AttemptEnd failed(std::string why) {
  return {.kind = AttemptEnd::Kind::failed, .failure = std::move(why)};
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
    case HostCalls::Stop::out_of_time: return {.kind = AttemptEnd::Kind::overran};
    case HostCalls::Stop::none: break;
  }
  switch (fault.kind) {
    case Fault::Kind::interrupted: return {.kind = AttemptEnd::Kind::overran};
    case Fault::Kind::trap: return failed("trap: " + fault.message);
    case Fault::Kind::refused: return failed("no instance: " + fault.message);
  }
  return {};
}

std::string_view export_of(hooks::HookPoint point) {
  switch (point) {
    case hooks::HookPoint::authenticate: return "authenticate";
    case hooks::HookPoint::pre_query: return "pre_query";
    case hooks::HookPoint::post_query: return "post_query";
  }
  return "";
}

// The guest side of one attempt.
class Guest {
 public:
  Guest(const AttemptInput& input, HostCalls& calls) : input_(input), calls_(calls) {}

  std::expected<void, AttemptEnd> open();
  std::expected<std::uint64_t, AttemptEnd> call_hook();
  std::expected<std::string_view, AttemptEnd> answer(std::uint64_t packed);

 private:
  std::expected<std::uint32_t, AttemptEnd> copy_in(std::string_view bytes);
  std::unexpected<AttemptEnd> end(const Fault& fault) const {
    return std::unexpected(end_of(fault, calls_));
  }

  const AttemptInput& input_;
  HostCalls& calls_;
  std::unique_ptr<WasmInstance> instance_;
};

std::expected<void, AttemptEnd> Guest::open() {
  auto made = input_.module.instantiate({.memory_bytes = input_.memory_bytes,
                                         .table_elements = input_.table_elements,
                                         .deadline_ticks = input_.deadline_ticks,
                                         .calls = &calls_});
  if (!made) return end(made.error());
  instance_ = std::move(*made);
  if (!input_.call_initialize) return {};
  if (const auto called = instance_->call("_initialize", {}); !called) return end(called.error());
  return {};
}

std::expected<std::uint32_t, AttemptEnd> Guest::copy_in(std::string_view bytes) {
  const auto called = instance_->call("alloc", {bytes.size()});
  if (!called) return end(called.error());
  const auto pointer = static_cast<std::uint32_t>(*called);
  // Address 0 is how allocators say that there is no room. Writing there regardless would put the
  // client's text over the plugin's own data.
  if (pointer == 0)
    return std::unexpected(
        failed("alloc had no room for " + std::to_string(bytes.size()) + " bytes of input"));
  const GuestMemory memory = instance_->memory();
  if (!in_memory(memory, pointer, bytes.size()))
    return std::unexpected(failed("alloc returned room outside the plugin's memory"));
  std::memcpy(memory.base + pointer, bytes.data(), bytes.size());
  return pointer;
}

std::expected<std::uint64_t, AttemptEnd> Guest::call_hook() {
  const auto pointer = copy_in(input_.json);
  if (!pointer) return std::unexpected(pointer.error());
  const std::string_view name = export_of(input_.point);
  const auto called = instance_->call(name, {*pointer, input_.json.size()});
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
  const GuestMemory memory = instance_->memory();
  if (!in_memory(memory, pointer, size))
    return std::unexpected(failed("its answer lies outside the plugin's memory"));
  return std::string_view(memory.base + pointer, size);
}

}  // namespace

AttemptEnd run_attempt(const AttemptInput& input, HostCalls& calls) {
  Guest guest(input, calls);
  if (auto opened = guest.open(); !opened) return std::move(opened.error());
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
    return {.authentication = std::move(*answer)};
  }
  auto verdict = abi1_verdict(*json);
  if (!verdict) return failed("bad answer: " + verdict.error().message);
  return {.verdict = std::move(*verdict)};
}

AttemptEnd run_canary(const AttemptInput& input, HostCalls& calls) {
  Guest guest(input, calls);
  if (auto opened = guest.open(); !opened) return std::move(opened.error());
  return {};
}

}  // namespace helios::plugins
