// SPDX-License-Identifier: Apache-2.0
// Goal: what authenticate hooks and "cached" verdicts answer is read exactly, or refused.
#include "plugins/abi/abi1_authentication.hpp"

#include "plugins/abi/abi1_answer.hpp"
#include "plugins/abi/abi1_input.hpp"
#include "plugins/abi/abi1_verdict.hpp"

#include <gtest/gtest.h>

namespace helios::plugins {
namespace {

using Action = hooks::AuthenticationVerdict::Action;

TEST(Abi1Authentication, three_actions) {
  EXPECT_EQ(abi1_authentication(R"({"action":"defer"})")->action, Action::defer);
  const auto denied = abi1_authentication(R"({"action":"denied","message":"no"})");
  EXPECT_EQ(denied->action, Action::denied);
  EXPECT_EQ(denied->message, "no");
  const auto success = abi1_authentication(
      R"({"action":"success","identity":{"user_id":"1","username":"u","roles":["a","b"],"tenant_id":"t"}})");
  EXPECT_EQ(success->action, Action::success);
  EXPECT_EQ(success->identity.user_id, "1");
  EXPECT_EQ(success->identity.roles, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(success->identity.tenant_id, "t");
}

TEST(Abi1Authentication, identity_without_tenant_has_none) {
  const auto success =
      abi1_authentication(R"({"action":"success","identity":{"user_id":"1","tenant_id":null}})");
  EXPECT_FALSE(success->identity.tenant_id.has_value());
}

TEST(Abi1Authentication, anything_else_is_an_error) {
  for (const char* text : {"", "[]", "{}", R"({"action":"maybe"})", R"({"action":"success"})",
                           R"({"action":"success","identity":{"roles":[1]}})"}) {
    EXPECT_FALSE(abi1_authentication(text)) << text;
  }
}

TEST(Abi1Authentication, identity_that_is_no_fit_for_a_session_is_an_error) {
  const auto with = [](const std::string& members) {
    return abi1_authentication(R"({"action":"success","identity":{)" + members + "}}");
  };
  const std::string longest(1024, 'x');
  EXPECT_TRUE(with("\"tenant_id\":\"" + longest + "\""));
  EXPECT_FALSE(with("\"tenant_id\":\"" + longest + "x\""));
  EXPECT_FALSE(with("\"user_id\":\"" + longest + "x\""));
  EXPECT_FALSE(with("\"username\":\"" + longest + "x\""));
  EXPECT_FALSE(with("\"roles\":[\"" + longest + "x\"]"));
  EXPECT_FALSE(with(R"("tenant_id":"a\u0000b")"));
  std::string roles = "\"r\"";
  for (int i = 1; i < 100; ++i) roles += ",\"r\"";
  EXPECT_TRUE(with("\"roles\":[" + roles + "]"));
  EXPECT_FALSE(with("\"roles\":[" + roles + ",\"r\"]"));
}

TEST(Abi1Authentication, message_to_the_client_is_cut) {
  const auto denied =
      abi1_authentication(R"({"action":"denied","message":")" + std::string(100'000, 'x') + "\"}");
  ASSERT_TRUE(denied);
  EXPECT_EQ(denied->message, std::string(4096, 'x') + "...");
}

TEST(Abi1Authentication, input_has_the_fields_of_the_abi) {
  const hooks::AuthenticationRequest request{.session_id = "s",
                                             .user = "u",
                                             .database = "d",
                                             .client_ip = "1.2.3.4",
                                             .attributes = {},
                                             .chain = nullptr};
  EXPECT_EQ(
      abi1_authentication_input(request),
      R"({"headers":{},"username":"u","password":null,"client_ip":"1.2.3.4","database":"d","client_id":"s"})");
}

TEST(Abi1Authentication, headers_name_the_os_user) {
  hooks::AuthenticationRequest request;
  request.attributes = {{"os_user", "o\"k"}, {"client_uid", "7"}};
  EXPECT_TRUE(abi1_authentication_input(request).starts_with(
      R"({"headers":{"os_user":"o\"k","client_uid":"7"},)"));
}

TEST(Abi1Answer, columns_and_rows) {
  const auto answer =
      abi1_answer(R"({"columns":[{"name":"n","oid":23},{"name":"t"}],"rows":[["7",null]]})");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->columns[0].type_oid, 23U);
  EXPECT_EQ(answer->columns[1].type_oid, 25U);
  EXPECT_EQ(answer->rows[0][0], "7");
  EXPECT_FALSE(answer->rows[0][1].has_value());
}

TEST(Abi1Answer, malformed_is_an_error) {
  for (const char* text :
       {"", "{}", R"({"columns":[{}],"rows":[]})", R"({"columns":[],"rows":[1]})",
        R"({"columns":[{"name":"n","oid":-1}],"rows":[]})",
        R"({"columns":[{"name":"n"}],"rows":[[1]]})"}) {
    EXPECT_FALSE(abi1_answer(text)) << text;
  }
}

TEST(Abi1Verdict, cached_rows_as_bytes_or_text) {
  for (
      const char* text :
      {R"({"action":"cached","data":"{\"columns\":[{\"name\":\"n\"}],\"rows\":[]}"})",
       R"({"kind":"cached","bytes":[123,34,99,111,108,117,109,110,115,34,58,91,123,34,110,97,109,101,34,58,34,110,34,125,93,44,34,114,111,119,115,34,58,91,93,125]})"}) {
    const auto verdict = abi1_verdict(text);
    ASSERT_TRUE(verdict) << text;
    EXPECT_EQ(verdict->action, hooks::Verdict::Action::answer);
    EXPECT_EQ(verdict->answer->columns.at(0).name, "n");
  }
}

}  // namespace
}  // namespace helios::plugins
