// SPDX-License-Identifier: Apache-2.0
// Goal: what passes is what a plain count says, whatever the limits are and however many hold at once.
#include "session/answer_cap.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace helios::session {
namespace {

using hooks::AnswerLimit;
using hooks::AnswerLimits;

std::shared_ptr<AnswerCap> cap(std::optional<std::uint64_t> rows,
                               std::optional<std::uint64_t> bytes) {
  AnswerLimits limits;
  if (rows) limits.rows = AnswerLimit{.most = *rows, .plugin = "r", .hint = {}};
  if (bytes) limits.bytes = AnswerLimit{.most = *bytes, .plugin = "b", .hint = "ask b"};
  return std::make_shared<AnswerCap>(limits);
}

AnswerCap::Part row(std::uint64_t bytes) { return {.rows = 1, .bytes = bytes}; }

TEST(AnswerCap, what_is_no_row_counts_as_bytes_alone) {
  AnswerCaps caps;
  caps.add(cap(1, 30));
  EXPECT_FALSE(caps.pass({.bytes = 10}));
  EXPECT_FALSE(caps.pass(row(15)));
  EXPECT_TRUE(caps.pass(row(1)));
  EXPECT_FALSE(caps.pass({.bytes = 5})) << "no row is left, and bytes are";
  const auto cut = caps.pass({.bytes = 1});
  ASSERT_TRUE(cut);
  EXPECT_EQ(cut->kind, CapKind::bytes);
  EXPECT_EQ(cut->detail(), "1 row of 30 bytes were sent.");
}

TEST(AnswerCap, row_beyond_the_limit_does_not_pass) {
  AnswerCaps caps;
  EXPECT_TRUE(caps.empty());
  caps.add(cap(2, std::nullopt));
  EXPECT_FALSE(caps.pass(row(10)));
  EXPECT_FALSE(caps.pass(row(20)));
  const auto cut = caps.pass(row(1));
  ASSERT_TRUE(cut);
  EXPECT_EQ(cut->kind, CapKind::rows);
  EXPECT_EQ(cut->message(), "the answer is limited to 2 rows");
  EXPECT_EQ(cut->detail(), "2 rows of 30 bytes were sent.");
  EXPECT_EQ(cut->limit.plugin, "r");
  EXPECT_NE(cut->hint().find("LIMIT"), std::string::npos);
  EXPECT_TRUE(caps.pass(row(0))) << "nor does the next";
}

TEST(AnswerCap, bytes_may_be_reached_and_not_exceeded) {
  AnswerCaps caps;
  caps.add(cap(std::nullopt, 30));
  EXPECT_FALSE(caps.pass(row(29)));
  EXPECT_TRUE(caps.pass(row(2)));
  EXPECT_FALSE(caps.pass(row(1))) << "a smaller one fits";
  const auto cut = caps.pass(row(1));
  ASSERT_TRUE(cut);
  EXPECT_EQ(cut->message(), "the answer is limited to 30 bytes");
  EXPECT_EQ(cut->detail(), "2 rows of 30 bytes were sent.");
  EXPECT_EQ(cut->hint(), "ask b");
}

TEST(AnswerCap, limit_of_nothing_lets_nothing_pass) {
  for (const auto& none : {cap(0, std::nullopt), cap(std::nullopt, 0), cap(0, 0)}) {
    AnswerCaps caps;
    caps.add(none);
    const auto cut = caps.pass(row(7));
    ASSERT_TRUE(cut);
    EXPECT_EQ(cut->detail(), "0 rows of 0 bytes were sent.");
  }
}

TEST(AnswerCap, one_is_counted_in_the_singular) {
  AnswerCaps caps;
  caps.add(cap(1, std::nullopt));
  EXPECT_FALSE(caps.pass(row(1)));
  const auto cut = caps.pass(row(1));
  EXPECT_EQ(cut->message(), "the answer is limited to 1 row");
  EXPECT_EQ(cut->detail(), "1 row of 1 byte were sent.");
}

TEST(AnswerCap, largest_limit_overflows_nothing) {
  AnswerCaps caps;
  caps.add(cap(UINT64_MAX, UINT64_MAX));
  EXPECT_FALSE(caps.pass(row(1U << 30U)));
  EXPECT_FALSE(caps.pass(row(UINT64_MAX - (1U << 30U))));
  EXPECT_TRUE(caps.pass(row(1)));
}

// Some of the caps are shared by two answers, as a cursor's is by its FETCHes.
TEST(AnswerCap, random_rows_pass_as_the_model_says) {
  struct Model {
    std::optional<std::uint64_t> rows, bytes;
    std::uint64_t rows_sent = 0, bytes_sent = 0;
    [[nodiscard]] bool admits(std::uint64_t more) const {
      return (!rows || rows_sent + 1 <= *rows) && (!bytes || bytes_sent + more <= *bytes);
    }
  };
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): the same in every run
  const auto below = [&](std::uint32_t end) { return random() % end; };
  for (int round = 0; round < 3000; ++round) {
    std::vector<Model> models(1 + below(3));
    std::vector<std::shared_ptr<AnswerCap>> made;
    for (Model& model : models) {
      if (below(2) == 0) model.rows = below(12);
      if (below(2) == 0) model.bytes = below(200);
      made.push_back(cap(model.rows, model.bytes));
    }
    // The first answer keeps to all of them, the second to the first alone, added twice.
    AnswerCaps all;
    AnswerCaps first;
    for (const auto& each : made) all.add(each);
    first.add(made.front());
    first.add(first);
    for (int i = 0; i < 20; ++i) {
      const std::uint64_t bytes = below(40);
      const bool is_all = below(3) != 0;
      const std::size_t count = is_all ? models.size() : 1;
      const bool may = std::all_of(models.begin(), models.begin() + static_cast<long>(count),
                                   [&](const Model& model) { return model.admits(bytes); });
      ASSERT_EQ(!(is_all ? all : first).pass(row(bytes)), may)
          << "round " << round << ", row " << i;
      for (std::size_t each = 0; may && each < count; ++each) {
        ++models[each].rows_sent;
        models[each].bytes_sent += bytes;
      }
    }
  }
}

}  // namespace
}  // namespace helios::session
