// SPDX-License-Identifier: Apache-2.0
#pragma once

// Counts the answer of a statement against the limits that plugins have set for it.
//
// An AnswerCap is made of one verdict, and holds for as long as what it was said of can give rows: for the statement of a
// Query; for a portal with all of its Executes; for a cursor that DECLARE made, with everything that reads it. So a row may
// count against several: a FETCH has a verdict of its own, and so had the DECLARE. AnswerCaps are those that
// one answer has to keep to; the smallest remainder wins.
//
// Pure: no I/O, no clock. Thread rule: the session's.

#include "hooks/answer_limits.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helios::session {

enum class CapKind { rows, bytes };

// "rows", "bytes".
[[nodiscard]] std::string_view to_word(CapKind kind);

// The limit at which an answer was cut, and what had passed under it.
struct CutAnswer {
  CapKind kind = CapKind::rows;
  hooks::AnswerLimit limit;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;

  // For the client: its error's message, what was sent, and what to do.
  [[nodiscard]] std::string message() const;
  [[nodiscard]] std::string detail() const;
  [[nodiscard]] std::string hint() const;
};

class AnswerCap {
 public:
  explicit AnswerCap(hooks::AnswerLimits limits) : limits_(std::move(limits)) {}

  // What counts against the limits: a row, or something else of the answer, which is bytes alone.
  struct Part {
    std::uint64_t rows = 0;  // 0 or 1
    std::uint64_t bytes = 0;
  };

  // The limit that one more part would go beyond; nullopt = none.
  [[nodiscard]] std::optional<CapKind> exceeded_by(Part part) const;
  // The part has passed.
  void add(Part part) {
    rows_ += part.rows;
    bytes_ += part.bytes;
  }
  // Requires: that limit is set.
  [[nodiscard]] CutAnswer cut(CapKind kind) const;

 private:
  hooks::AnswerLimits limits_;
  std::uint64_t rows_ = 0;
  std::uint64_t bytes_ = 0;
};

class AnswerCaps {
 public:
  [[nodiscard]] bool empty() const { return caps_.empty(); }
  // One that is there already is not counted twice.
  void add(std::shared_ptr<AnswerCap> cap);
  void add(const AnswerCaps& others);
  // It is next. nullopt = it may pass, and is counted. Otherwise nothing is counted.
  [[nodiscard]] std::optional<CutAnswer> pass(AnswerCap::Part part);
  // About what they take.
  [[nodiscard]] std::size_t held_bytes() const {
    return caps_.size() * (sizeof(AnswerCap) + sizeof(caps_.front()));
  }

 private:
  std::vector<std::shared_ptr<AnswerCap>> caps_;
};

}  // namespace helios::session
