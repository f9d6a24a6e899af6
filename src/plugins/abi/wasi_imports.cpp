// SPDX-License-Identifier: Apache-2.0

// What C, C++ and Rust libraries import from WASI (preview 1) only to start up or to complain. There is
// no file, no argument, no environment; what a guest writes to its standard output and error goes to
// the log; ending the process ends the call.

#include "plugins/abi/host_calls.hpp"
#include "plugins/abi/host_codes.hpp"
#include "plugins/abi/host_function.hpp"
#include "plugins/abi/host_imports.hpp"

#include <array>
#include <cstring>
#include <optional>

#include <sys/random.h>

namespace helios::plugins {

namespace {

// WASI's error numbers.
constexpr std::int32_t kSuccess = 0;
constexpr std::int32_t kBadf = 8;
constexpr std::int32_t kInval = 28;
constexpr std::int32_t kNosys = 52;
constexpr std::int32_t kSpipe = 70;

constexpr std::uint32_t kMaxVectors = 1024;
constexpr std::size_t kMaxRandomBytes = 64 * 1024;

using Code = std::optional<std::int32_t>;

// The text of a vector of ranges, cut to what a log line may have; `size` is all of it. nullopt: a range
// outside the memory.
std::optional<std::string> gather(const GuestMemory& memory, std::string_view vectors,
                                  std::uint32_t& size) {
  std::string text;
  size = 0;
  for (std::size_t at = 0; at < vectors.size(); at += 2 * sizeof(std::uint32_t)) {
    std::array<std::uint32_t, 2> range{};
    std::memcpy(range.data(), vectors.data() + at, sizeof(range));
    if (!in_memory(memory, range[0], range[1])) return std::nullopt;
    if (text.size() < kMaxLogBytes && range[1] != 0)
      text.append(memory.base + range[0], std::min<std::size_t>(range[1], kMaxLogBytes));
    size += range[1];
  }
  return text;
}

Code fd_write(HostCalls& calls, GuestMemory memory, std::uint32_t fd, std::uint32_t vectors,
              std::uint32_t count, std::span<char, 4> written) {
  if (fd != 1 && fd != 2) return kBadf;
  if (count > kMaxVectors) return kInval;
  const std::uint64_t bytes = std::uint64_t{count} * 2 * sizeof(std::uint32_t);
  std::uint32_t size = 0;
  const auto text = in_memory(memory, vectors, bytes)
                        ? gather(memory, {memory.base + (count == 0 ? 0 : vectors), bytes}, size)
                        : std::nullopt;
  if (!text) {
    calls.stop_bad_pointer("fd_write");
    return std::nullopt;
  }
  AttemptEffects* const effects = calls.effects();
  if (effects != nullptr && effects->log.size() < kMaxLogLines && !text->empty())
    effects->log.push_back({base::LogLevel::info, *text});
  std::memcpy(written.data(), &size, sizeof(size));
  return kSuccess;
}

// Nothing but the two outputs is open, and those are neither files nor seekable.
Code fd_close(HostCalls&, std::uint32_t) { return kBadf; }
Code fd_seek(HostCalls&, std::uint32_t, std::int64_t, std::uint32_t, std::uint32_t) {
  return kSpipe;
}
Code fd_read(HostCalls&, std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t) {
  return kBadf;
}
Code fd_prestat_get(HostCalls&, std::uint32_t, std::uint32_t) { return kBadf; }
Code fd_prestat_dir_name(HostCalls&, std::uint32_t, std::uint32_t, std::uint32_t) { return kBadf; }
Code fd_fdstat_get(HostCalls&, std::uint32_t fd, std::span<char, 24> out) {
  constexpr char kCharacterDevice = 2;
  if (fd > 2) return kBadf;
  std::memset(out.data(), 0, out.size());
  out[0] = kCharacterDevice;
  return kSuccess;
}
Code no_list(HostCalls&, std::uint32_t, std::uint32_t) { return kSuccess; }
Code no_list_sizes(HostCalls&, std::span<char, 4> count, std::span<char, 4> bytes) {
  std::memset(count.data(), 0, count.size());
  std::memset(bytes.data(), 0, bytes.size());
  return kSuccess;
}

// The attempt's one time, whichever clock is asked.
Code clock_time_get(HostCalls& calls, std::uint32_t, std::int64_t, std::span<char, 8> out) {
  const std::int64_t now_ns = calls.now_ms() * 1'000'000;
  std::memcpy(out.data(), &now_ns, sizeof(now_ns));
  return kSuccess;
}

Code random_get(HostCalls&, std::span<char> out) {
  if (out.size() > kMaxRandomBytes) return kInval;
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got =
        ::getrandom(out.data() + done, std::min<std::size_t>(out.size() - done, 256), 0);
    if (got <= 0) return kNosys;
    done += static_cast<std::size_t>(got);
  }
  return kSuccess;
}

Code sched_yield(HostCalls&) { return kSuccess; }
Code poll_oneoff(HostCalls&, std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t) {
  return kNosys;
}

std::optional<NoResult> proc_exit(HostCalls& calls, std::uint32_t) {
  calls.stop(HostCalls::Stop::guest_exit);
  return std::nullopt;
}

}  // namespace

std::span<const HostFunction> wasi_imports() {
  constexpr std::string_view kWasi = "wasi_snapshot_preview1";
  static const std::array kFunctions{
      host_function<fd_write>(kWasi, "fd_write"),
      host_function<fd_close, Purity::pure>(kWasi, "fd_close"),
      host_function<fd_seek, Purity::pure>(kWasi, "fd_seek"),
      host_function<fd_read, Purity::pure>(kWasi, "fd_read"),
      host_function<fd_prestat_get, Purity::pure>(kWasi, "fd_prestat_get"),
      host_function<fd_prestat_dir_name, Purity::pure>(kWasi, "fd_prestat_dir_name"),
      host_function<fd_fdstat_get, Purity::pure>(kWasi, "fd_fdstat_get"),
      host_function<no_list, Purity::pure>(kWasi, "args_get"),
      host_function<no_list_sizes, Purity::pure>(kWasi, "args_sizes_get"),
      host_function<no_list, Purity::pure>(kWasi, "environ_get"),
      host_function<no_list_sizes, Purity::pure>(kWasi, "environ_sizes_get"),
      host_function<clock_time_get>(kWasi, "clock_time_get"),
      host_function<random_get, Purity::pure>(kWasi, "random_get"),
      host_function<sched_yield, Purity::pure>(kWasi, "sched_yield"),
      host_function<poll_oneoff, Purity::pure>(kWasi, "poll_oneoff"),
      host_function<proc_exit, Purity::pure>(kWasi, "proc_exit"),
  };
  return kFunctions;
}

}  // namespace helios::plugins
