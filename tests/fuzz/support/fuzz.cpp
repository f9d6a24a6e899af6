// SPDX-License-Identifier: Apache-2.0
#include "fuzz/support/fuzz.hpp"

#include "base/text.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <signal.h>

namespace helios::fuzz {
namespace {

constexpr std::size_t kMaxShownBytes = 4000;

[[noreturn]] void give_up(const std::string& what, const std::source_location& where) {
  std::fprintf(stderr, "%s:%u: %s\n", where.file_name(), static_cast<unsigned>(where.line()),
               what.c_str());
  std::abort();
}

}  // namespace

void require(bool holds, std::string_view what, std::source_location where) {
  if (!holds) give_up(base::escape_for_log(what, kMaxShownBytes), where);
}

void require_equal(std::string_view actual, std::string_view expected, std::string_view what,
                   std::source_location where) {
  if (actual == expected) return;
  give_up(std::string(what) + "\n  actual:   " + base::escape_for_log(actual, kMaxShownBytes) +
              "\n  expected: " + base::escape_for_log(expected, kMaxShownBytes),
          where);
}

void abort_on_failed_expectations() { GTEST_FLAG_SET(break_on_failure, true); }

void keep_alarms_out() {
  sigset_t alarms;
  sigemptyset(&alarms);
  sigaddset(&alarms, SIGALRM);
  pthread_sigmask(SIG_BLOCK, &alarms, nullptr);
}

std::uint8_t Input::take_byte() {
  if (rest_.empty()) return 0;
  const auto byte = static_cast<std::uint8_t>(rest_.front());
  rest_.remove_prefix(1);
  return byte;
}

std::size_t Input::take_below(std::size_t limit) { return take_byte() % limit; }

std::string_view Input::take_until(char end) {
  const std::size_t at = rest_.find(end);
  const std::string_view taken = rest_.substr(0, at);
  rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at + 1);
  return taken;
}

std::string_view Input::take_bytes(std::size_t count) {
  const std::string_view taken = rest_.substr(0, std::min(count, rest_.size()));
  rest_.remove_prefix(taken.size());
  return taken;
}

}  // namespace helios::fuzz
