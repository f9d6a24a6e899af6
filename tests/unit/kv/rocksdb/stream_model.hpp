// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the streams of a namespace should hold, and the comparison with what a store shows.

#include "kv/limits.hpp"
#include "kv/store.hpp"
#include "support/stream_chain.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

namespace helios::test {

using Records = std::map<std::string, std::vector<std::string>>;  // by stream

// Each stream from somewhere to its end, its chain, and what all of them count for.
inline void expect_records(kv::Store& store, kv::Namespace& space, const Records& wanted,
                           std::mt19937& random) {
  std::uint64_t bytes = 0;
  for (const auto& [stream, records] : wanted) {
    const std::size_t from =
        std::uniform_int_distribution<std::size_t>(0, records.size() - 1)(random);
    const auto page = store.read_stream(
        space, stream, {.from = from + 1, .max_records = 1'000'000, .max_bytes = 1 << 30});
    ASSERT_TRUE(page) << page.error().message;
    expect_chain(*page);
    ASSERT_EQ(page->records.size(), records.size() - from);
    for (std::size_t at = from; at < records.size(); ++at)
      ASSERT_EQ(page->records[at - from].bytes, records[at]);
    for (const std::string& record : records) bytes += kv::record_bytes(record.size());
  }
  EXPECT_EQ(store.usage(space).stream_bytes, bytes);
}

}  // namespace helios::test
