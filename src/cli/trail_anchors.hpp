// SPDX-License-Identifier: Apache-2.0
#pragma once

// The anchors that a trail is held against: records that it must have as they say. No I/O.

#include "base/result.hpp"
#include "cli/audit_chain.hpp"
#include "kv/stream.hpp"

#include <cstddef>
#include <cstdint>
#include <istream>
#include <map>
#include <string>
#include <string_view>

namespace helios::cli {

// Flow: 1 expect() all; 2 check() every record, in order; 3 finish(). Errors are one line.
class TrailAnchors {
 public:
  [[nodiscard]] base::Result<void> expect(const ChainLink& anchor);
  // Every line of a file of anchors (anchors/anchor.hpp) that is about this stream. At least one must be. Lines that are no
  // anchors are counted: a disk that was full leaves such, and from a file to which one can only add nobody takes them out.
  [[nodiscard]] base::Result<void> expect_lines(std::istream& in, const std::string& file,
                                                std::string_view space, std::string_view stream);

  [[nodiscard]] base::Result<void> check(const kv::StreamRecord& record);
  // `newest`: the number of the last record; 0: there is none.
  [[nodiscard]] base::Result<void> finish(std::int64_t newest) const;

  // Lines that end in a line break; empty without anchors.
  [[nodiscard]] std::string summary() const;

 private:
  std::map<std::int64_t, std::string> hashes_;  // by number
  std::size_t met_ = 0;
  std::size_t unreadable_ = 0;  // lines
};

}  // namespace helios::cli
