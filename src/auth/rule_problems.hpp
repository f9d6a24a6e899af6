// SPDX-License-Identifier: Apache-2.0
#pragma once

// What is wrong with files of rules, and where. All of it is collected, so that whoever mends the files is told at once.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace helios::auth {

struct Place {
  std::shared_ptr<const std::string> file;  // never null; shared by all places in it
  std::uint32_t line = 1;
  std::uint32_t column = 1;  // counts bytes, from 1

  // "FILE:LINE". What a terminal would act on is escaped in the file's name.
  [[nodiscard]] std::string line_text() const;
  // "FILE:LINE:COLUMN".
  [[nodiscard]] std::string text() const;
};

class RuleProblems {
 public:
  // More are only counted: a file that is something else altogether has thousands.
  static constexpr std::size_t kMaxShown = 50;

  // `what` says what is wrong and what to do. The same thing said twice is shown once: a list may be included twice.
  void add(const Place& place, std::string_view what);

  [[nodiscard]] bool any() const { return added_ > 0; }
  // How often add() was called.
  [[nodiscard]] std::size_t added() const { return added_; }
  // "FILE:LINE:COLUMN: what is wrong" for each, one a line, in the order of add(). The last says how many are left out.
  // Requires: any().
  [[nodiscard]] std::string message() const;

 private:
  std::vector<std::string> shown_;
  std::size_t added_ = 0;
  std::size_t left_out_ = 0;
};

// A word of a file, between quotes, fit for a message of one line.
[[nodiscard]] std::string in_quotes(std::string_view word);

}  // namespace helios::auth
