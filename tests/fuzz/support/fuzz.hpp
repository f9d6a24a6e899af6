// SPDX-License-Identifier: Apache-2.0
#pragma once

// What fuzz targets share: how a broken property is reported, and how an input is taken apart.

#include <cstddef>
#include <cstdint>
#include <source_location>
#include <string>
#include <string_view>

// Defined by every target. Called with one input after the other, on one thread; returns 0.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace helios::fuzz {

// A property that holds for every input. Where it does not, says so and aborts: the fuzzer keeps the
// input.
void require(bool holds, std::string_view what,
             std::source_location where = std::source_location::current());

// The same for two texts that must be equal; shows both.
void require_equal(std::string_view actual, std::string_view expected, std::string_view what,
                   std::source_location where = std::source_location::current());

// Makes a failed EXPECT_... of a shared test harness abort as well. Harmless when called again.
void abort_on_failed_expectations();

// Keeps libFuzzer's timer from interrupting the system calls of this thread and of those that it
// starts. For targets with sockets, all of whose waits have limits of their own.
void keep_alarms_out();

[[nodiscard]] inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// An input as a sequence of decisions. Everything may be taken beyond the end: it is then zero or
// empty, so that every input means something.
class Input {
 public:
  explicit Input(std::string_view bytes) : rest_(bytes) {}

  [[nodiscard]] bool empty() const { return rest_.empty(); }
  [[nodiscard]] std::string_view rest() const { return rest_; }

  std::uint8_t take_byte();
  // A number from 0 to limit - 1, from one byte. Requires: limit is 1 to 256.
  std::size_t take_below(std::size_t limit);
  // The bytes up to the next `end`, which is taken too; all of the rest where there is none.
  std::string_view take_until(char end);
  std::string_view take_line() { return take_until('\n'); }
  // At most `count` bytes.
  std::string_view take_bytes(std::size_t count);

 private:
  std::string_view rest_;
};

}  // namespace helios::fuzz
