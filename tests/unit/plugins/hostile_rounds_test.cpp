// SPDX-License-Identifier: Apache-2.0

// Ten thousand calls of hostile plugins leave nothing behind: no memory, descriptor, mapping, instance
// or key.

#include "hostile_guests.hpp"
#include "plugin_fixture.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <unistd.h>

#if defined(HELIOS_ASAN) || defined(HELIOS_TSAN)
// Of the sanitizer's runtime; not every compiler brings the header.
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();
#endif

namespace helios::plugins {
namespace {

using hooks::HookPoint;
using Outcome = HostileGuest::Outcome;
using Status = hooks::CallResult::Status;

constexpr std::size_t kRounds = 10'000;
// Each takes milliseconds or its whole timeout, so they come up now and then only.
constexpr std::size_t kHeavyTurns = 5;
constexpr std::size_t kHeavyFileBytes = 100'000;

// What a process could lose a little of in every call.
struct Holdings {
  std::int64_t memory_bytes = 0;
  std::int64_t descriptors = 0;
  std::int64_t mappings = 0;
};

std::int64_t memory_in_use() {
#if defined(HELIOS_ASAN) || defined(HELIOS_TSAN)
  // Exact, where resident memory contains what the sanitizer has set aside.
  return static_cast<std::int64_t>(__sanitizer_get_current_allocated_bytes());
#else
  std::ifstream statm("/proc/self/statm");
  std::int64_t total = 0;
  std::int64_t resident = 0;
  statm >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
#endif
}

Holdings holdings() {
  namespace fs = std::filesystem;
  std::ifstream maps("/proc/self/maps");
  return {.memory_bytes = memory_in_use(),
          .descriptors = std::distance(fs::directory_iterator("/proc/self/fd"), {}),
          .mappings = std::count(std::istreambuf_iterator<char>(maps), {}, '\n')};
}

class HostileRoundsTest : public PluginTest {
 protected:
  HostileRoundsTest() {
    config_.limits.backoff_after_faults = 0;
    config_.pool_instances = 8;
    for (const auto& list : {hostile_calls(), hostile_answers()})
      for (const HostileGuest& guest : list) add(guest);
  }

  void add(const HostileGuest& guest) {
    if (guest.keys > 1) return;  // would only measure the store
    const std::string file = guest.file.make();
    const bool is_heavy = guest.outcome == Outcome::loops || guest.name.starts_with("loops") ||
                          guest.name.starts_with("asks") || file.size() > kHeavyFileBytes;
    (is_heavy ? heavy_ : light_).push_back(guest.name);
    write_file(guest.name + ".wat", file);
  }

  // One call of each.
  void call_all(const std::shared_ptr<const hooks::Chain>& chain,
                const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      run_hook(chain, name, HookPoint::pre_query);
      ++calls_;
    }
  }

  std::vector<std::string> light_;
  std::vector<std::string> heavy_;
  std::size_t calls_ = 0;
};

TEST_F(HostileRoundsTest, ten_thousand_calls_leave_nothing_behind) {
  add_guest("counter");
  // A plugin that needs longer to start than loops may run is not what this is about.
  config_.limits.timeout_ms = 60'000;
  for (const std::string& name : heavy_) write_file(name + ".toml", "[limits]\ntimeout_ms = 20");
  const auto chain = load_ok();
  for (int warm_up = 0; warm_up < 5; ++warm_up) call_all(chain, light_);
  call_all(chain, heavy_);
  const Holdings before = holdings();
  const std::uint64_t keys_before = key_count();

  calls_ = 0;
  for (std::size_t turn = 0; turn < kHeavyTurns; ++turn) call_all(chain, heavy_);
  while (calls_ < kRounds) call_all(chain, light_);

  const Holdings after = holdings();
  EXPECT_LT(after.memory_bytes - before.memory_bytes, 8 << 20);
  EXPECT_LE(after.descriptors, before.descriptors);
  EXPECT_LT(after.mappings - before.mappings, 100);
  EXPECT_EQ(key_count(), keys_before);
  EXPECT_EQ(lane_.waiting(), 0U);

  // Were an instance lost now and then, there would be none left by now.
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(run_hook(chain, "counter", HookPoint::pre_query).status, Status::ok);
  EXPECT_EQ(value("counter", "count:acme"), "20");
}

}  // namespace
}  // namespace helios::plugins
