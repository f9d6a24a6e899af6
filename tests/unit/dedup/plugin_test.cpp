// SPDX-License-Identifier: Apache-2.0

// Goal: what counts as the same statement, and for how long. Method: the plugin itself behind the fake
// host.

#include "helios/fake_host.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace helios::plugin {
namespace {

class Dedup : public testing::Test {
 protected:
  Dedup() { host_.state["config"] = R"({"window_ms":500})"; }
  // The statement that was asked about last has ended so.
  void end(const std::string& text, const std::string& outcome, int64_t settlement) {
    FakeQuery ended = FakeQuery(text).tenant("acme");
    FakeOutcome{.outcome = outcome}.write_to(ended);
    host_.settled(ended, settlement);
  }
  std::string ask(const std::string& text, const std::string& tenant = "acme") {
    return host_.pre_query(FakeQuery(text).tenant(tenant));
  }
  FakeHost host_;
};

TEST_F(Dedup, repeat_within_the_window_is_refused) {
  EXPECT_EQ(ask("INSERT 1"), "");
  host_.now_ms += 80;
  EXPECT_EQ(ask("INSERT 1"), "the same statement was sent already (retry in 420 ms)");
  EXPECT_EQ(host_.verdict.sqlstate, "55000");
  host_.now_ms += 419;
  EXPECT_NE(ask("INSERT 1"), "");  // a repeat does not make the window longer
  host_.now_ms += 1;
  EXPECT_EQ(ask("INSERT 1"), "");
  EXPECT_EQ(host_.metrics["repeats"], 2);
}

TEST_F(Dedup, what_operators_write_is_judged) {
  const struct {
    std::string key, value, problem;
  } kCases[] = {
      {"config", R"({"window_ms":5e2,"writes_only":false,"answer":"taken"})", ""},
      {"seen:abc", "anything", ""},
      {"config", R"({"windows_ms":500})",
       "config: field `windows_ms` is not known; did you mean `window_ms`?"},
      {"config", R"({"window_ms":"500"})",
       "config: field `window_ms` must be a whole number, and is a text"},
      {"config", R"({"window_ms":0})",
       "config: field `window_ms` must be a whole number from 1 to 4503599627370496"},
      {"config", R"({"window_ms":500,"writes_only":"yes"})",
       "config: field `writes_only` must be true or false, and is a text"},
      {"config", R"({"window_ms":500,"answer":null})",
       "config: field `answer` must be a text, and is null"},
      {"config", "{}", "config: field `window_ms` is missing"},
      {"conf", "{}", "there is no such key here; there are `config` and `seen:<digest>`"},
  };
  for (const auto& [key, value, problem] : kCases)
    EXPECT_EQ(host_.check_write(key, value), problem) << key << ' ' << value;
}

TEST_F(Dedup, what_stands_there_already_is_treated_as_ever_and_logged_once) {
  host_.state["config"] = R"({"window_ms":500,"writes_only":"no"})";
  EXPECT_EQ(ask("INSERT 1"), "");
  EXPECT_NE(ask("INSERT 1"), "");
  EXPECT_EQ(host_.log,
            std::vector<std::string>{"\"config\" would be refused today: field "
                                     "`writes_only` must be true or false, and is a text"});
}

TEST_F(Dedup, repeat_is_told_how_long_the_window_of_its_first_lasts) {
  EXPECT_EQ(ask("INSERT 1"), "");
  host_.state["config"] = R"({"window_ms":5})";
  EXPECT_EQ(ask("INSERT 1"), "the same statement was sent already (retry in 500 ms)");
}

TEST_F(Dedup, repeat_is_answered_where_told_so) {
  host_.state["config"] = R"({"window_ms":500,"answer":"taken"})";
  EXPECT_EQ(ask("INSERT 1"), "");
  EXPECT_EQ(host_.verdict.action, Verdict::Action::proceed);
  ask("INSERT 1");
  EXPECT_EQ(host_.verdict.action, Verdict::Action::answer);
  EXPECT_EQ(host_.verdict.columns, std::vector<std::string>{"dedup"});
  EXPECT_EQ(host_.verdict.values, std::vector<std::optional<std::string>>{"taken"});
  EXPECT_EQ(host_.metrics["repeats"], 1);
}

TEST_F(Dedup, other_text_tenant_or_parameter_is_another_statement) {
  EXPECT_EQ(ask("INSERT 1"), "");
  EXPECT_EQ(ask("insert 1"), "");
  EXPECT_EQ(ask("INSERT 1", "globex"), "");
  const auto with = [this](std::optional<std::string> first, std::optional<std::string> second) {
    return host_.pre_query(
        FakeQuery("INSERT $1, $2").tenant("acme").parameter(first).parameter(second));
  };
  EXPECT_EQ(with("a", "b"), "");
  EXPECT_EQ(with("a:", "b"), "");
  EXPECT_EQ(with("a", ":b"), "");
  EXPECT_EQ(with("a", std::nullopt), "");
  EXPECT_EQ(with("a", "NULL"), "");
  EXPECT_NE(with("a", "b"), "");
}

TEST_F(Dedup, queries_are_left_alone_unless_told_otherwise) {
  const auto query = [this](bool read_only) {
    return host_.pre_query(FakeQuery("SELECT 1").tenant("acme").read_only(read_only));
  };
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(query(true), "");
    EXPECT_EQ(query(false), "");  // FOR UPDATE
  }
  EXPECT_EQ(
      host_.pre_query(FakeQuery("WITH a AS (VALUES (1)) TABLE a").tenant("acme").read_only(true)),
      "");
  EXPECT_EQ(
      host_.pre_query(FakeQuery("WITH a AS (VALUES (1)) TABLE a").tenant("acme").read_only(true)),
      "");
  host_.state["config"] = R"({"window_ms":500,"writes_only":false})";
  EXPECT_EQ(query(true), "");
  EXPECT_NE(query(true), "");
}

TEST_F(Dedup, statements_that_mean_something_new_each_time_are_left_alone) {
  host_.state["config"] = R"({"window_ms":500,"writes_only":false})";
  for (const char* const text :
       {"FETCH 10 FROM c", "fetch c", "MOVE c", "COPY t FROM STDIN",
        "/* a /* b */ */ COPY t FROM STDIN", "LOCK TABLE t",
        "UPDATE t SET a = 1 WHERE CURRENT OF c", "delete from t where current\n of c",
        "EXECUTE p(1)", "TRUNCATE t"}) {
    EXPECT_EQ(ask(text), "") << text;
    EXPECT_EQ(ask(text), "") << text;
  }
  for (const char* const text :
       {"-- x\n INSERT 1", "/* x */update t SET currents = of", "DO 'x'", "CALL p()"}) {
    EXPECT_EQ(ask(text), "") << text;
    EXPECT_NE(ask(text), "") << text;
  }
}

TEST_F(Dedup, execute_is_the_same_only_with_the_same_arguments) {
  const auto execute = [this](const std::string& text) {
    return host_.pre_query(
        FakeQuery("INSERT INTO t VALUES ($1)").tenant("acme").execute_text(text));
  };
  EXPECT_EQ(execute("EXECUTE ins(1)"), "");
  EXPECT_EQ(execute("EXECUTE ins(2)"), "");
  EXPECT_NE(execute("EXECUTE ins(1)"), "");
  // Nobody says what the arguments are.
  EXPECT_EQ(ask("INSERT INTO t VALUES ($1, 2)"), "");
  EXPECT_EQ(ask("INSERT INTO t VALUES ($1, 2)"), "");
}

TEST_F(Dedup, statement_that_did_not_happen_may_be_sent_again) {
  for (const char* const outcome : {"failed", "refused", "skipped", "lost", "executed"}) {
    ASSERT_EQ(ask("INSERT 1"), "") << outcome;
    ASSERT_EQ(host_.scratch.size(), 64U);
    end("INSERT 1", outcome, HELIOS_SETTLED_ROLLED_BACK);
  }
  EXPECT_EQ(ask("INSERT 1"), "");
  end("INSERT 1", "answered", HELIOS_SETTLED_COMMITTED);  // by another plugin
  EXPECT_EQ(ask("INSERT 1"), "");
}

TEST_F(Dedup, statement_that_happened_or_may_have_keeps_its_mark) {
  int number = 0;
  const auto check = [&](const char* outcome, int64_t settlement) {
    const std::string text = "INSERT " + std::to_string(++number);
    host_.scratch.clear();
    EXPECT_EQ(ask(text), "");
    end(text, outcome, settlement);
    EXPECT_NE(ask(text), "") << outcome;
  };
  check("executed", HELIOS_SETTLED_COMMITTED);
  check("executed", HELIOS_SETTLED_UNKNOWN);
  check("lost", HELIOS_SETTLED_UNKNOWN);
  check("unknown", HELIOS_SETTLED_UNKNOWN);
}

TEST_F(Dedup, mark_of_another_statement_is_not_taken_back) {
  EXPECT_EQ(ask("INSERT 1"), "");
  for (auto& [key, value] : host_.state)
    if (key.starts_with("seen:")) value = "00000000-0000-4000-8000-0000000000ff";
  end("INSERT 1", "failed", HELIOS_SETTLED_ROLLED_BACK);
  EXPECT_NE(ask("INSERT 1"), "");
  host_.scratch.clear();  // a repeat keeps nothing
  end("INSERT 1", "refused", HELIOS_SETTLED_ROLLED_BACK);
  EXPECT_NE(ask("INSERT 1"), "");
}

TEST_F(Dedup, prepared_statement_is_refused_rather_than_answered) {
  host_.state["config"] = R"({"window_ms":500,"answer":"taken"})";
  const FakeQuery query = FakeQuery("INSERT $1").tenant("acme").parameter("a");
  EXPECT_EQ(host_.pre_query(query), "");
  EXPECT_NE(host_.pre_query(query), "");
  EXPECT_EQ(host_.verdict.action, Verdict::Action::block);
}

TEST_F(Dedup, without_configuration_or_tenant_nothing_is_refused) {
  for (int i = 0; i < 2; ++i) EXPECT_EQ(host_.pre_query(FakeQuery("SELECT 1")), "");
  host_.state.clear();
  for (int i = 0; i < 2; ++i) EXPECT_EQ(ask("SELECT 1"), "");
}

TEST_F(Dedup, configuration_that_is_none_refuses_everything) {
  for (const char* const text :
       {"", "{}", R"({"window_ms":0})", R"({"window_ms":"5"})", R"({"window_ms":5,"answer":1})"}) {
    host_.state["config"] = text;
    EXPECT_EQ(ask("SELECT 1"),
              "dedup: \"config\" needs a window_ms of 1 or more; its answer, if any, is a text")
        << text;
  }
}

}  // namespace
}  // namespace helios::plugin
