// SPDX-License-Identifier: Apache-2.0
#pragma once

// The chain of a stream, computed anew: what an auditor would do with what he was given.

#include "base/sha256.hpp"
#include "kv/stream.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace helios::test {

inline base::Sha256Digest chained(const base::Sha256Digest& before, std::string_view bytes) {
  base::Sha256 sha;
  sha.update({reinterpret_cast<const char*>(before.data()), before.size()});
  sha.update(bytes);
  return sha.finish();
}

// Records without a gap from `page.before` on, with times that do not go back.
inline void expect_chain(const kv::StreamPage& page) {
  base::Sha256Digest last = page.before;
  for (std::size_t i = 0; i < page.records.size(); ++i) {
    const kv::StreamRecord& record = page.records[i];
    last = chained(last, record.bytes);
    ASSERT_EQ(base::to_hex(record.digest), base::to_hex(last)) << "record " << record.number;
    if (i == 0) continue;
    ASSERT_EQ(record.number, page.records[i - 1].number + 1);
    ASSERT_GE(record.time_ms, page.records[i - 1].time_ms);
  }
}

inline std::vector<std::string> bytes_of(const kv::StreamPage& page) {
  std::vector<std::string> all;
  for (const kv::StreamRecord& record : page.records) all.push_back(record.bytes);
  return all;
}

}  // namespace helios::test
