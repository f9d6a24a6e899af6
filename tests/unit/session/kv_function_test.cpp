// SPDX-License-Identifier: Apache-2.0
// Goal: helios.kv() becomes plain SQL for those who may read, and text that only looks like it passes
// unchanged.
#include "kv/transaction.hpp"
#include "session/kv_rows.hpp"
#include "session_harness.hpp"

#include <gtest/gtest.h>

namespace helios::session::test {
namespace {

using namespace std::string_literals;

void put(kv::Store& store, std::string_view space, std::string_view key, std::string_view value) {
  kv::Transaction transaction(store, **store.open(space));
  ASSERT_EQ(transaction.set(key, value), kv::WriteStatus::ok);
  ASSERT_EQ(transaction.commit({}), kv::CommitStatus::done);
}

struct KvSession {
  SessionHarness harness;

  explicit KvSession(std::vector<std::string> readers = {"ann"}, std::uint64_t max_bytes = 1 << 20)
      : harness([&] {
          Options options;
          options.config.kv_sql.readers = std::move(readers);
          options.config.kv_sql.max_bytes = max_bytes;
          return options;
        }()) {
    harness.connect();
  }
  // What the server gets for `text`; empty when nothing.
  std::string sent(std::string_view text) {
    harness.client_sends(query(text));
    const std::string bytes = harness.take_to_server();
    return bytes.empty() ? bytes : bytes.substr(5, bytes.size() - 6);
  }
};

TEST(KvFunction, table_form_becomes_a_row_source) {
  KvSession session;
  put(session.harness.store, "counter", "acme", "100");
  put(session.harness.store, "counter", "globex", "37");
  const std::string columns =
      "SELECT helios_plugin AS plugin, helios_key AS key, helios_value AS value, "
      "helios_version AS version, helios_expires_at AS expires_at FROM ";
  const std::string names =
      " AS helios_rows(helios_plugin, helios_key, helios_value, helios_version, helios_expires_at)";
  EXPECT_EQ(
      session.sent("SELECT * FROM helios.kv('counter') WHERE key = 'acme'"),
      "SELECT * FROM LATERAL (" + columns +
          "(VALUES ('counter'::text, 'acme'::text, '100'::text, 1::bigint, NULL::timestamptz), "
          "('counter', 'globex', '37', 2, NULL::timestamptz))" +
          names + ") AS kv WHERE key = 'acme'");
}

TEST(KvFunction, alias_of_the_client_is_kept) {
  KvSession session;
  const std::string text =
      session.sent("select t.key from helios.kv('none') as t(p, k) join x on true");
  EXPECT_NE(text.find("WHERE false)"), std::string::npos);
  EXPECT_NE(text.find(") as t(p, k) join x on true"), std::string::npos);
}

TEST(KvFunction, scalar_form_becomes_a_constant) {
  KvSession session;
  put(session.harness.store, "cost-governor", "tenant:acme:usage", "it's");
  EXPECT_EQ(session.sent("select helios.kv('cost_governor', 'tenant:acme:usage'), "
                         "helios.kv('cost-governor','no')"),
            "select 'it''s'::text AS kv, NULL::text AS kv");
}

TEST(KvFunction, words_and_operators_next_to_a_call_stay_apart) {
  KvSession session;
  put(session.harness.store, "p", "k", "v");
  EXPECT_EQ(session.sent("select helios.kv('p','k')from t where helios.kv('p','k')is null"),
            "select 'v'::text AS kv from t where 'v'::text is null");
  EXPECT_EQ(session.sent("select U&helios.kv('p','k')"), "select U& 'v'::text");
  EXPECT_EQ(session.sent("select(helios.kv('p','k'))from t"), "select 'v'::text AS kv from t");
  EXPECT_TRUE(session.sent("select(helios.kv('p'))").starts_with("select unnest("));
}

TEST(KvFunction, name_of_a_call_in_parentheses_stands_behind_them) {
  KvSession session;
  put(session.harness.store, "p", "k", "v");
  EXPECT_EQ(session.sent("select (helios.kv('p','k')), (( helios.kv('p','k') ))from t"),
            "select 'v'::text AS kv, 'v'::text AS kv from t");
  EXPECT_EQ(session.sent("select (select (helios.kv('p','k')))"),
            "select (select 'v'::text AS kv)");
  EXPECT_EQ(session.sent("select (helios.kv('p','k')) || 'x'"), "select ('v'::text) || 'x'");
}

TEST(KvFunction, expression_as_argument_becomes_a_condition) {
  KvSession session;
  put(session.harness.store, "p", "k:1", "v");
  const std::string text = session.sent("select helios.kv('p', 'k:' || t.id) from t");
  EXPECT_NE(text.find("(SELECT helios_value FROM (VALUES"), std::string::npos);
  EXPECT_NE(text.find("WHERE helios_key = ('k:' || t.id)) AS kv from t"), std::string::npos);
}

TEST(KvFunction, lookalikes_pass_unchanged) {
  for (const char* text : {"select 'helios.kv()'", "select 1 -- helios.kv()",
                           "select $$ from helios.kv() $$", "select /* helios.kv() */ 1",
                           "select \"helios.kv()\" from t", "select e'\\'helios.kv()'"}) {
    KvSession session;
    EXPECT_EQ(session.sent(text), text);
  }
}

TEST(KvFunction, only_listed_users_may_read) {
  KvSession session({"bob"});
  EXPECT_EQ(session.sent("select * from helios.kv()"), "");
  EXPECT_NE(session.harness.to_client.find("42501"), std::string::npos);
  EXPECT_NE(session.harness.to_client.find("permission denied for function helios.kv"),
            std::string::npos);
  EXPECT_TRUE(session.harness.to_client.ends_with(ready('I')));
}

TEST(KvFunction, refused_in_ddl) {
  KvSession session;
  EXPECT_EQ(session.sent("create view v as select * from helios.kv()"), "");
  EXPECT_NE(session.harness.to_client.find("0A000"), std::string::npos);
}

TEST(KvFunction, too_large_is_one_clear_error) {
  KvSession session({"ann"}, 200);
  put(session.harness.store, "p", "k", std::string(300, 'x'));
  EXPECT_EQ(session.sent("select * from helios.kv()"), "");
  EXPECT_NE(session.harness.to_client.find("would return more than 200 bytes"), std::string::npos);
}

TEST(KvFunction, in_an_expression_gives_one_composite_per_row) {
  KvSession session;
  put(session.harness.store, "p", "k", "1");
  const std::string text = session.sent("select helios.kv('p')");
  EXPECT_TRUE(
      text.starts_with("select unnest(ARRAY(SELECT ROW(helios_plugin, helios_key, helios_value,"))
      << text;
  EXPECT_TRUE(text.ends_with(")) AS kv")) << text;
  EXPECT_TRUE(session.sent("select (helios.kv('p')).key").find(" AS kv") == std::string::npos);
}

TEST(KvFunction, name_of_the_client_is_kept_in_a_select_list) {
  KvSession session;
  EXPECT_EQ(session.sent("select helios.kv('p', 'k') as x, upper(helios.kv('p', 'k'))"),
            "select NULL::text as x, upper(NULL::text)");
}

TEST(KvFunction, every_namespace_without_argument) {
  KvSession session;
  put(session.harness.store, "a", "k", "1");
  put(session.harness.store, "b", "k", "2");
  const std::string text = session.sent("select * from helios.kv()");
  EXPECT_NE(text.find("('a'::text, 'k'::text, '1'::text"), std::string::npos);
  EXPECT_NE(text.find("('b', 'k', '2', 1, NULL::timestamptz)"), std::string::npos);
}

TEST(KvFunction, never_expanded_in_text_of_a_plugin) {
  Options options;
  options.config.kv_sql.readers = {"ann"};
  auto plugin =
      std::make_shared<NativePlugin>(hooks::PluginTraits{.name = "p", .has_pre_query = true});
  plugin->pre_query = [](hooks::Call&) { return rewrite("select * from helios.kv()"); };
  options.plugins = {plugin};
  const Trace trace = run_every_way(options, {client(query("select 1"))});
  EXPECT_EQ(trace.to_server, query("select * from helios.kv()"));
}

TEST(KvFunction, sees_what_the_statements_own_pre_query_wrote) {
  Options options;
  options.config.kv_sql.readers = {"ann"};
  auto plugin =
      std::make_shared<NativePlugin>(hooks::PluginTraits{.name = "p", .has_pre_query = true});
  options.plugins = {plugin};
  SessionHarness harness(options);
  plugin->pre_query = [&harness](hooks::Call&) {
    put(harness.store, "p", "k", "fresh");
    return hooks::CallResult{};
  };
  harness.connect();
  harness.client_sends(query("select helios.kv('p', 'k')"));
  EXPECT_EQ(harness.to_server, query("select 'fresh'::text AS kv"));
}

TEST(ShowKvBytes, text_counter_and_binary) {
  EXPECT_EQ(show_kv_bytes("plain \xC3\xA9"), "plain \xC3\xA9");
  EXPECT_EQ(show_kv_bytes("\x2a\0\0\0\0\0\0\0"s), "42");
  EXPECT_EQ(show_kv_bytes("\xff\xff\xff\xff\xff\xff\xff\xff"), "-1");
  EXPECT_EQ(show_kv_bytes("\xff\x01"), "\\xff01");
  EXPECT_EQ(show_kv_bytes("a\0"s), "\\x6100");
  EXPECT_EQ(show_kv_bytes("12345678"), "12345678");
}

}  // namespace
}  // namespace helios::session::test
