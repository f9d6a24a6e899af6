// SPDX-License-Identifier: Apache-2.0
#pragma once

// One record for the end of a stream, as a hook call appends it.

#include "kv/transaction.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace helios::test {

// Makes the namespace if it is not there. Requires: the commit is done at once.
inline void append_record(kv::Store& store, std::string_view space, std::string_view stream,
                          std::string_view bytes) {
  kv::Transaction transaction(store, **store.open(space));
  ASSERT_EQ(transaction.append(stream, bytes), kv::WriteStatus::ok);
  ASSERT_EQ(transaction.commit({}), kv::CommitStatus::done);
}

}  // namespace helios::test
