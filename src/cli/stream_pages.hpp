// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads a stream page after page, from a first record on.

#include "base/result.hpp"
#include "cli/stream_reader.hpp"
#include "kv/stream.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace helios::cli {

// Flow: next(), until is_enough(), or is_complete() and nobody wants to wait for more. After an error it is of no
// more use.
class StreamPages {
 public:
  struct Wanted {
    std::string plugin;
    std::string stream;
    kv::RecordNumber from = 1;
    std::optional<std::int64_t> since_ms = {};  // only records that are not older
    std::uint64_t limit = 0;                    // at most so many; 0: all
  };

  StreamPages(Wanted wanted, ReadPage read_page);

  // The records that follow; none where there are none yet. Errors: those of ReadPage; invalid (records have made room
  // before they were read).
  [[nodiscard]] base::Result<AnsweredPage> next();

  // How many records have come.
  [[nodiscard]] std::uint64_t count() const { return count_; }
  // Everything that there was at the last page has come.
  [[nodiscard]] bool is_complete() const { return is_complete_; }
  // As many have come as were asked for.
  [[nodiscard]] bool is_enough() const { return wanted_.limit != 0 && count_ >= wanted_.limit; }

 private:
  const Wanted wanted_;
  const ReadPage read_page_;
  kv::StreamRange range_;
  std::uint64_t count_ = 0;
  bool is_complete_ = false;
};

}  // namespace helios::cli
