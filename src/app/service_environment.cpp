// SPDX-License-Identifier: Apache-2.0

#include "app/service_environment.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

namespace helios::app {
namespace {

constexpr int kFirstDescriptor = 3;              // SD_LISTEN_FDS_START
constexpr std::int64_t kMaxDescriptors = 256;    // a unit that passes more is a mistake
constexpr std::int64_t kMaxProcessId = 1 << 22;  // PID_MAX_LIMIT
constexpr std::int64_t kMaxWatchdogUs = std::int64_t{86'400} * 1'000'000;

std::string_view value_of(const EnvironmentLookup& lookup, const char* name) {
  const char* value = lookup(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

// Nothing where the variable is missing or empty.
base::Result<std::optional<std::int64_t>> number_of(const EnvironmentLookup& lookup,
                                                    const char* name, std::int64_t most) {
  const auto text = value_of(lookup, name);
  if (text.empty()) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 0 || number > most) {
    return base::fail(base::Errc::invalid, "environment: " + std::string(name) + "=" +
                                               std::string(text) + ": must be a number from 0 to " +
                                               std::to_string(most));
  }
  return number;
}

base::Result<void> read_watchdog(const EnvironmentLookup& lookup, std::int64_t process_id,
                                 ServiceEnvironment& out) {
  const auto whose = number_of(lookup, "WATCHDOG_PID", kMaxProcessId);
  if (!whose) return std::unexpected(whose.error());
  if (whose->value_or(process_id) != process_id) return {};
  const auto limit = number_of(lookup, "WATCHDOG_USEC", kMaxWatchdogUs);
  if (!limit) return std::unexpected(limit.error());
  out.watchdog_us = limit->value_or(0);
  return {};
}

base::Result<void> read_descriptors(const EnvironmentLookup& lookup, std::int64_t process_id,
                                    ServiceEnvironment& out) {
  const auto whose = number_of(lookup, "LISTEN_PID", kMaxProcessId);
  if (!whose) return std::unexpected(whose.error());
  if (*whose != process_id) return {};
  const auto count = number_of(lookup, "LISTEN_FDS", kMaxDescriptors);
  if (!count) return std::unexpected(count.error());
  std::string_view names = value_of(lookup, "LISTEN_FDNAMES");
  for (int i = 0; i < static_cast<int>(count->value_or(0)); ++i) {
    const auto name = names.substr(0, names.find(':'));
    names.remove_prefix(std::min(name.size() + 1, names.size()));
    out.descriptors.push_back({kFirstDescriptor + i, name.empty() ? "unknown" : std::string(name)});
  }
  return {};
}

}  // namespace

base::Result<ServiceEnvironment> read_service_environment(const EnvironmentLookup& lookup,
                                                          std::int64_t process_id) {
  ServiceEnvironment out;
  out.notify_socket = value_of(lookup, "NOTIFY_SOCKET");
  if (auto read = read_watchdog(lookup, process_id, out); !read) {
    return std::unexpected(read.error());
  }
  if (auto read = read_descriptors(lookup, process_id, out); !read) {
    return std::unexpected(read.error());
  }
  return out;
}

}  // namespace helios::app
