// SPDX-License-Identifier: Apache-2.0
#pragma once

// Checks a chain of the audit-chain plugin (plugins/audit-chain/README.md has the format): every record
// there, in its place, unchanged, up to the head. No I/O.
//
// What nobody can find out from the chain alone: that somebody who may write the store has made all of
// it anew, or cut off its end together with the head. For that, keep a head elsewhere and pass it as an
// anchor.

#include "base/result.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace helios::cli {

// A record by its number and the SHA-256 of its bytes, in hex. Number 0: before the first record.
struct ChainLink {
  std::int64_t seq = 0;
  std::string hash = std::string(64, '0');

  bool operator==(const ChainLink&) const = default;
};

// "SEQ:HASH". Errors: invalid.
[[nodiscard]] base::Result<ChainLink> parse_link(std::string_view text);
[[nodiscard]] std::string format_link(const ChainLink& link);

// Flow: 1 anchors; 2 add() every entry of the namespace, in key order; 3 finish().
// Errors are one line that names the record; after one, the verifier is of no more use.
class ChainVerifier {
 public:
  // `start`: the record before the first of these entries, when earlier ones were put away.
  explicit ChainVerifier(ChainLink start = {});

  // The chain must have this record as it says.
  [[nodiscard]] base::Result<void> expect(const ChainLink& anchor);

  [[nodiscard]] base::Result<void> add(std::string_view key, std::string_view value);

  // The newest record. The records that came while the chain was read need not be under the head.
  [[nodiscard]] base::Result<ChainLink> finish() const;

 private:
  [[nodiscard]] base::Result<void> set_head(std::string_view value);
  [[nodiscard]] base::Result<void> add_record(std::int64_t seq, std::string_view value);
  [[nodiscard]] base::Result<void> check_anchor(const ChainLink& link) const;

  ChainLink last_;
  std::optional<ChainLink> head_;
  std::map<std::int64_t, std::string> anchors_;  // number -> hash
};

}  // namespace helios::cli
