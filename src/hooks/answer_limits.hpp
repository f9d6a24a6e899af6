// SPDX-License-Identifier: Apache-2.0
#pragma once

// How large the answer of a statement may be, as plugins have said in pre_query. Whoever passes the answer on counts it
// by these: session::AnswerCap.
//
// Thread rule: none of its own.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace helios::hooks {

struct AnswerLimit {
  std::uint64_t most = 0;  // 0 = nothing may pass
  std::string plugin;      // who said it
  std::string hint;        // what to do, for the client; empty = nothing said
};

struct AnswerLimits {
  std::optional<AnswerLimit> rows;   // DataRow messages; in COPY, CopyData messages
  std::optional<AnswerLimit> bytes;  // of these messages, framing included

  // Of several plugins the smallest limit holds; of equal ones the first that was said.
  static void lower(std::optional<AnswerLimit>& limit, AnswerLimit other) {
    if (!limit || other.most < limit->most) limit = std::move(other);
  }
};

}  // namespace helios::hooks
