// SPDX-License-Identifier: Apache-2.0
#include "hooks/statement_execution.hpp"

#include <gtest/gtest.h>

namespace helios::hooks {
namespace {

TEST(StatementExecution, current_text_is_the_clients_until_it_is_rewritten) {
  StatementExecution statement;
  statement.text = "SELECT 1";
  EXPECT_EQ(statement.current_text(), "SELECT 1");
  statement.rewritten = "SELECT 2";
  EXPECT_EQ(statement.current_text(), "SELECT 2");
  EXPECT_EQ(statement.text, "SELECT 1");
}

TEST(StatementExecution, is_lost_until_something_else_is_known) {
  EXPECT_EQ(StatementExecution{}.outcome, Outcome::lost);
}

}  // namespace
}  // namespace helios::hooks
