// SPDX-License-Identifier: Apache-2.0

// Streams as plugins append to them.

#include "abi2_fixture.hpp"
#include "helios_abi2.h"
#include "support/stream_chain.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace helios::plugins {
namespace {

using hooks::HookPoint;
using Status = hooks::CallResult::Status;
using testing::HasSubstr;

// Appends `length` bytes at 48 to the stream "key".
std::string append(int length) {
  return "(call $stream_append (i32.const 16) (i32.const 3) (i32.const 48) (i32.const " +
         std::to_string(length) + "))";
}

class StreamImportsTest : public Abi2Test {
 protected:
  std::vector<std::string> records(std::string_view stream = "key") {
    const auto page = store_.read_stream(**store_.open("p"), stream, {});
    EXPECT_TRUE(page);
    test::expect_chain(*page);
    return test::bytes_of(*page);
  }
};

TEST_F(StreamImportsTest, records_come_with_the_call_that_appends_them) {
  add(hook("pre_query", expecting(HELIOS_OK, append(2)) + expecting(HELIOS_OK, append(8))));
  EXPECT_EQ(run(HookPoint::pre_query).status, Status::ok);
  EXPECT_EQ(run(HookPoint::pre_query).status, Status::ok);
  EXPECT_EQ(records(), (std::vector<std::string>{"no", "no entry", "no", "no entry"}));
}

TEST_F(StreamImportsTest, call_that_fails_appends_nothing) {
  add(hook("pre_query", expecting(HELIOS_OK, append(2)) + "(unreachable)"));
  EXPECT_EQ(run(HookPoint::pre_query).status, Status::failed);
  EXPECT_TRUE(records().empty());
}

TEST_F(StreamImportsTest, name_that_is_none_is_invalid) {
  add(hook(
      "pre_query",
      expecting(HELIOS_INVALID,
                "(call $stream_append (i32.const 16) (i32.const 0) (i32.const 48) (i32.const 1))") +
          expecting(
              HELIOS_INVALID,
              "(call $stream_append (i32.const 48) (i32.const 3) (i32.const 48) (i32.const 1))")));
  EXPECT_EQ(run(HookPoint::pre_query).status, Status::ok);
}

TEST_F(StreamImportsTest, refused_record_says_which_limit_it_was) {
  store_.set_limits({.max_record_bytes = 3});
  add(hook("pre_query", expecting(HELIOS_OK, append(4))));
  const auto result = run(HookPoint::pre_query);
  EXPECT_EQ(result.status, Status::failed);
  EXPECT_THAT(result.failure,
              HasSubstr("stream_append was refused: the record is over [kv] max_record_bytes = 3"));
}

TEST_F(StreamImportsTest, namespace_without_room_for_a_stream_is_full) {
  store_.set_limits({.max_streams_per_namespace = 0});
  add(hook("pre_query", expecting(HELIOS_OK, append(4))));
  const auto result = run(HookPoint::pre_query);
  EXPECT_THAT(result.failure, HasSubstr("its streams are 0, [kv] max_streams_per_namespace = 0"));
}

}  // namespace
}  // namespace helios::plugins
