// SPDX-License-Identifier: Apache-2.0
#pragma once

// Computes the chain of a stream anew (kv/stream.hpp) from the records that it is given: every record there, in
// its place, unchanged. No I/O.
//
// What nobody can find out from the records alone: that somebody who may write the state directory has made all
// of them anew, or cut off the end. For that, keep a last digest elsewhere and compare.

#include "base/result.hpp"
#include "base/sha256.hpp"
#include "kv/stream.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace helios::cli {

// Flow: 1 add() every page, in order; 2 finish(), unless the reading ended before the end of the stream.
// Errors are one line that names the record; after one, the verifier is of no more use.
class StreamVerifier {
 public:
  // `space`: the namespace, as it is spelled in the chain.
  StreamVerifier(std::string_view space, std::string_view stream)
      : first_digest_(kv::first_digest(space, stream)) {}

  // The first page may begin at any record; whether what it follows is right shows only at record 1.
  [[nodiscard]] base::Result<void> add(const kv::StreamPage& page);

  // Is the last record that was added the last one there is?
  [[nodiscard]] base::Result<void> finish(const kv::StreamExtent& extent) const;

  // "3 records, 1 to 3, none changed, missing or out of place; the last digest is ...". Without a line break.
  [[nodiscard]] std::string summary() const;

 private:
  [[nodiscard]] base::Result<void> begin(const kv::StreamPage& page);
  [[nodiscard]] base::Result<void> add_record(const kv::StreamRecord& record);

  const base::Sha256Digest first_digest_;
  base::Sha256 sha_;
  std::uint64_t count_ = 0;
  // Of no meaning while count_ is 0.
  kv::RecordNumber first_ = 0;
  base::Sha256Digest before_{};  // what the first record follows
  kv::RecordNumber last_ = 0;
  std::int64_t last_time_ms_ = 0;
  base::Sha256Digest last_digest_{};
};

}  // namespace helios::cli
