// SPDX-License-Identifier: Apache-2.0

// Streams of the plugin's namespace (kv/stream.hpp), as ABI 2 has them.

#include "plugins/abi/host_function.hpp"
#include "plugins/abi/host_imports.hpp"
#include "plugins/abi/state_access.hpp"

#include <array>
#include <optional>

namespace helios::plugins {

namespace {

// Who decides whether a statement or a login may begin leaves room for the record of its end.
kv::Reserve reserve_of(const HostCalls& calls) {
  const bool decides =
      calls.is_at(hooks::HookPoint::pre_query) || calls.is_at(hooks::HookPoint::authenticate);
  return decides ? kv::Reserve::leave : kv::Reserve::use;
}

std::optional<std::int32_t> stream_append(HostCalls& calls, std::string_view stream,
                                          std::string_view record) {
  return code_of(calls, {.operation = "stream_append",
                         .status = calls.transaction().append(stream, record, reserve_of(calls)),
                         .bytes = kv::record_bytes(record.size()),
                         .is_record = true});
}

}  // namespace

std::span<const HostFunction> stream_imports() {
  static const std::array kFunctions{
      host_function<stream_append, Purity::writes>("env", "stream_append"),
  };
  return kFunctions;
}

}  // namespace helios::plugins
