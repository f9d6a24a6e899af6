// SPDX-License-Identifier: Apache-2.0
// Goal: of each refusal there is one record, and the client is told the same: who, why, under which id, and what to do.
#include "session/refusal_records.hpp"

#include "extended_messages.hpp"
#include "hooks/request_id.hpp"
#include "session_harness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helios::session::test {
namespace {

using hooks::DecidedBy;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

class Sink final : public RefusalSink {
 public:
  void note(RefusalRecord record) override { records.push_back(std::move(record)); }
  void note_failed_login(RefusalRecord record, bool by_server) override {
    (by_server ? rejected : unfinished).push_back(std::move(record));
  }
  std::vector<RefusalRecord> records;
  std::vector<RefusalRecord> rejected;
  std::vector<RefusalRecord> unfinished;
};

class Records : public testing::Test {
 protected:
  Records() {
    plugin_->pre_query = [this](hooks::Call& call) {
      seen_id_ = call.statement->id;
      return answer_(call);
    };
    options_.plugins = {plugin_};
  }

  SessionHarness& start() {
    harness_ = std::make_unique<SessionHarness>(options_);
    harness_->environment.refusals = &sink_;
    harness_->connect();
    harness_->take_to_client();
    return *harness_;
  }

  std::string id_of(std::uint64_t statement) const {
    const auto id = hooks::request_id("session-1", statement);
    return {id.begin(), id.end()};
  }

  std::shared_ptr<NativePlugin> plugin_ =
      std::make_shared<NativePlugin>(hooks::PluginTraits{.name = "guard", .has_pre_query = true});
  std::function<hooks::CallResult(hooks::Call&)> answer_ = [](hooks::Call&) {
    return hooks::CallResult{};
  };
  std::uint64_t seen_id_ = 0;
  Options options_;
  Sink sink_;
  std::unique_ptr<SessionHarness> harness_;
};

TEST_F(Records, answer_that_was_cut_is_noted_with_its_limit) {
  answer_ = [](hooks::Call&) {
    hooks::CallResult result;
    result.verdict.max_bytes = 3;
    result.verdict.hint = "ask for less";
    return result;
  };
  SessionHarness& harness = start();
  harness.client_sends(query("select 1"));
  harness.server_sends(message('D', std::string("\0\1\0\0\0\1x", 7)) + error("57014", "cancelled") +
                       ready('I'));
  ASSERT_THAT(sink_.records, SizeIs(1));
  const RefusalRecord& record = sink_.records[0];
  EXPECT_EQ(record.plugin, "guard");
  EXPECT_EQ(record.decided_by, DecidedBy::cap);
  EXPECT_EQ(record.sqlstate, "54000");
  EXPECT_EQ(record.cap, "bytes");
  EXPECT_EQ(record.request_id, id_of(seen_id_));
  EXPECT_EQ(record.reason, "the answer is limited to 3 bytes");
  EXPECT_THAT(harness.to_client,
              HasSubstr("Limited by plugin \"guard\", request " + id_of(seen_id_) + "."));
  EXPECT_THAT(harness.to_client, HasSubstr("ask for less"));
}

TEST_F(Records, verdict_is_noted_with_everything_but_the_text) {
  answer_ = [](hooks::Call&) {
    hooks::CallResult result = block("over budget");
    result.verdict.sqlstate = "53400";
    result.verdict.detail = "100 of 100";
    result.verdict.hint = "wait";
    return result;
  };
  SessionHarness& harness = start();
  harness.client_sends(query("select secret from t"));
  ASSERT_THAT(sink_.records, SizeIs(1));
  const RefusalRecord& record = sink_.records[0];
  EXPECT_EQ(record.plugin, "guard");
  EXPECT_EQ(record.decided_by, DecidedBy::verdict);
  EXPECT_EQ(record.reason, "over budget");
  EXPECT_EQ(record.sqlstate, "53400");
  EXPECT_EQ(record.detail, "100 of 100");
  EXPECT_EQ(record.hint, "wait");
  EXPECT_EQ(record.request_id, id_of(seen_id_));
  EXPECT_FALSE(record.user.empty());
  EXPECT_TRUE(record.fingerprint.has_value());
  EXPECT_THAT(harness.to_client, HasSubstr(std::string("Mover budget\0", 13)));
  EXPECT_THAT(harness.to_client, HasSubstr("D100 of 100\nRefused by plugin \"guard\", request " +
                                           record.request_id + "."));
  EXPECT_THAT(harness.to_client, HasSubstr(std::string("Hwait\0", 6)));
}

TEST_F(Records, on_error_is_shown_as_such_with_the_fault) {
  answer_ = [](hooks::Call&) { return failure("trap: unreachable in check"); };
  SessionHarness& harness = start();
  harness.client_sends(query("select 1"));
  ASSERT_THAT(sink_.records, SizeIs(1));
  EXPECT_EQ(sink_.records[0].decided_by, DecidedBy::on_error);
  EXPECT_EQ(sink_.records[0].fault, "trap: unreachable in check");
  EXPECT_EQ(sink_.records[0].sqlstate, "58000");
  EXPECT_THAT(harness.to_client, HasSubstr("HThe plugin failed, and its on_error is \"deny\""));
}

TEST_F(Records, rules_of_the_proxy_are_noted_once_wherever_they_stand) {
  SessionHarness& harness = start();
  harness.client_sends(query("set helios.tenant_id = 'acme'"));
  harness.server_sends(complete("SET") + ready('I'));
  harness.client_sends(query("explain execute x"));  // by the judge
  harness.take_to_client();
  harness.client_sends(bind_to("", "nobody") + sync());  // before it
  harness.server_sends(syntax_error() + ready('I'));
  ASSERT_THAT(sink_.records, SizeIs(2));
  for (const RefusalRecord& record : sink_.records) {
    EXPECT_EQ(record.plugin, "");
    EXPECT_EQ(record.decided_by, DecidedBy::rule);
    EXPECT_EQ(record.tenant, "acme");
  }
  EXPECT_NE(sink_.records[0].request_id, sink_.records[1].request_id);
  EXPECT_THAT(harness.to_client,
              HasSubstr("DRefused by the proxy, request " + sink_.records[1].request_id));
}

TEST_F(Records, what_the_grammar_quotes_is_not_kept) {
  start().client_sends(query("secret 4711"));
  ASSERT_THAT(sink_.records, SizeIs(1));
  EXPECT_EQ(sink_.records[0].sqlstate, "42601");
  EXPECT_THAT(sink_.records[0].reason, Not(HasSubstr("secret")));
}

TEST_F(Records, cancelled_statements_and_broken_messages_are_no_refusals) {
  SessionHarness& harness = start();
  harness.client_sends(message('Q', "no end"));
  EXPECT_THAT(harness.to_client, HasSubstr("08P01"));
  EXPECT_THAT(sink_.records, SizeIs(0));
}

TEST_F(Records, statements_that_pass_are_not_noted) {
  SessionHarness& harness = start();
  harness.client_sends(query("select 1"));
  harness.server_sends(complete("SELECT 1") + ready('I'));
  EXPECT_THAT(sink_.records, SizeIs(0));
}

TEST_F(Records, denied_login_is_noted_and_told) {
  options_.config.tenant.setters = {};
  SessionHarness harness(options_);
  harness.environment.refusals = &sink_;
  harness.client_sends(startup_packet({{"user", "ann"},
                                       {"database", "shop"},
                                       {"application_name", "desk"},
                                       {"options", "-c helios.tenant_id=acme"}}));
  ASSERT_THAT(sink_.records, SizeIs(1));
  EXPECT_EQ(sink_.records[0].decided_by, DecidedBy::login);
  EXPECT_EQ(sink_.records[0].user, "ann");
  EXPECT_EQ(sink_.records[0].database, "shop");
  EXPECT_EQ(sink_.records[0].application_name, "desk");
  EXPECT_EQ(sink_.records[0].request_id, id_of(0));
  EXPECT_THAT(harness.to_client, HasSubstr("FATAL"));
  EXPECT_THAT(harness.to_client, HasSubstr("request " + sink_.records[0].request_id));
}

TEST_F(Records, login_that_the_server_rejects_is_noted_and_is_no_refusal) {
  SessionHarness harness(options_);
  harness.environment.refusals = &sink_;
  harness.client_sends(startup_packet({{"user", "ann"}, {"database", "shop"}}));
  harness.server_connected();
  const std::string rejected = error("28P01", "password authentication failed for user \"ann\"");
  harness.server_sends(rejected);
  EXPECT_THAT(sink_.records, SizeIs(0));
  ASSERT_THAT(sink_.rejected, SizeIs(1));
  EXPECT_EQ(sink_.rejected[0].sqlstate, "28P01");
  EXPECT_EQ(sink_.rejected[0].reason, "password authentication failed for user \"ann\"");
  EXPECT_EQ(sink_.rejected[0].user, "ann");
  EXPECT_TRUE(sink_.rejected[0].is_login);
  EXPECT_EQ(harness.to_client, rejected) << "the server's own words";
}

}  // namespace
}  // namespace helios::session::test
