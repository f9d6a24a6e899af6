// SPDX-License-Identifier: Apache-2.0
// Goal: Settings behave like the server's own, transaction by transaction.
#include "session/settings.hpp"

#include <gtest/gtest.h>

namespace helios::session {
namespace {

using Kind = sql::SettingChange::Kind;

sql::SettingChange change(Kind kind, std::string value = {}) {
  return {.kind = kind, .name = std::string(kTenantSetting), .value = std::move(value)};
}

sql::SettingChange agent_change(Kind kind, std::string value = {}) {
  return {.kind = kind, .name = std::string(kAgentSetting), .value = std::move(value)};
}

std::string tenant(const Settings& settings) {
  const auto values = settings.values();
  const auto found = values.find(kTenantSetting);
  return found == values.end() ? "-" : found->second;
}

TEST(Settings, set_replaces_an_earlier_set_local) {
  Settings settings;
  settings.begin();
  settings.apply(change(Kind::set_local, "inner"));
  settings.apply(change(Kind::set, "outer"));
  EXPECT_EQ(tenant(settings), "outer");
  settings.commit();
  EXPECT_EQ(tenant(settings), "outer");
}

TEST(Settings, set_local_hides_set_until_commit) {
  Settings settings;
  settings.begin();
  settings.apply(change(Kind::set, "outer"));
  settings.apply(change(Kind::set_local, "inner"));
  EXPECT_EQ(tenant(settings), "inner");
  settings.commit();
  EXPECT_EQ(tenant(settings), "outer");
}

TEST(Settings, set_local_to_default_hides_the_value) {
  Settings settings;
  settings.apply(change(Kind::set, "outer"));
  settings.begin();
  settings.apply(change(Kind::reset_local_default));
  EXPECT_EQ(tenant(settings), "-");
  settings.commit();
  EXPECT_EQ(tenant(settings), "outer");
}

TEST(Settings, nested_savepoints_of_one_name) {
  Settings settings;
  settings.begin();
  settings.apply(change(Kind::set, "one"));
  settings.savepoint("s");
  settings.apply(change(Kind::set, "two"));
  settings.savepoint("s");
  settings.apply(change(Kind::set, "three"));
  settings.rollback_to("s");
  EXPECT_EQ(tenant(settings), "two");
  settings.rollback_to("s");
  EXPECT_EQ(tenant(settings), "two");
  settings.release("s");
  settings.rollback_to("s");
  EXPECT_EQ(tenant(settings), "one");
  settings.rollback();
  EXPECT_EQ(tenant(settings), "-");
}

TEST(Settings, savepoints_with_no_change_between_them_take_no_room) {
  Settings settings;
  settings.begin();
  settings.apply(change(Kind::set, "one"));
  settings.savepoint("s");
  const auto bytes = settings.held_bytes();
  constexpr int kMany = 100'000;
  for (int i = 1; i < kMany; ++i) settings.savepoint("s");
  EXPECT_EQ(settings.held_bytes(), bytes);
  settings.apply(change(Kind::set, "two"));
  settings.rollback_to("s");
  EXPECT_EQ(tenant(settings), "one");
  settings.savepoint("s");  // nothing has changed since, either
  EXPECT_EQ(settings.held_bytes(), bytes);
  for (int i = 0; i < kMany; ++i) settings.release("s");
  EXPECT_TRUE(settings.has_savepoints());
  settings.release("s");
  EXPECT_FALSE(settings.has_savepoints());
}

TEST(Settings, tenant_is_used_once_it_was_set_or_passed_unread) {
  Settings settings;
  settings.apply({.kind = Kind::set, .name = "helios.other", .value = "x"});
  settings.apply(change(Kind::unknown));
  EXPECT_FALSE(settings.uses_tenant());
  settings.begin();
  settings.apply(change(Kind::set, "acme"));
  settings.rollback();
  EXPECT_TRUE(settings.uses_tenant());
  Settings started;
  started.start({{std::string(kTenantSetting), "acme"}});
  EXPECT_TRUE(started.uses_tenant());
  Settings unread;
  unread.set_all_unknown();
  EXPECT_TRUE(unread.uses_tenant());
}

TEST(Settings, unknown_is_undone_by_rollback) {
  Settings settings;
  settings.apply(change(Kind::set, "acme"));
  settings.begin();
  settings.apply(change(Kind::unknown));
  EXPECT_TRUE(settings.tenant_unknown());
  settings.rollback();
  EXPECT_FALSE(settings.tenant_unknown());
  EXPECT_EQ(tenant(settings), "acme");
}

TEST(Settings, set_local_hides_an_unknown_session_value_until_commit) {
  Settings settings;
  settings.apply(change(Kind::set, "acme"));
  settings.apply(change(Kind::unknown));
  settings.begin();
  settings.apply(change(Kind::set_local, "globex"));
  EXPECT_FALSE(settings.tenant_unknown());
  settings.commit();
  EXPECT_TRUE(settings.tenant_unknown());
  settings.apply(change(Kind::set, "acme"));
  EXPECT_FALSE(settings.tenant_unknown());
}

TEST(Settings, recalling_is_unknown_once_something_was_stored) {
  Settings settings;
  settings.apply(change(Kind::set, "acme"));
  settings.apply(change(Kind::recalled));
  EXPECT_FALSE(settings.tenant_unknown());
  settings.begin();
  settings.apply(change(Kind::stored));
  settings.rollback();  // prepared statements stay
  EXPECT_FALSE(settings.tenant_unknown());
  settings.apply(change(Kind::recalled));
  EXPECT_TRUE(settings.tenant_unknown());
}

TEST(Settings, unseen_rollback_is_unknown_where_it_could_matter) {
  Settings settings;
  settings.apply(change(Kind::set, "acme"));
  settings.begin();
  settings.unseen_rollback();
  EXPECT_FALSE(settings.tenant_unknown());
  settings.begin();
  settings.apply(change(Kind::set, "globex"));
  settings.unseen_rollback();
  EXPECT_TRUE(settings.tenant_unknown());
}

TEST(Settings, unseen_reset_is_unknown_where_it_could_matter) {
  Settings settings;
  settings.start({{std::string(kTenantSetting), "acme"}});
  settings.unseen_reset();
  EXPECT_FALSE(settings.tenant_unknown());
  settings.apply(change(Kind::set, "globex"));
  settings.unseen_reset();
  EXPECT_TRUE(settings.tenant_unknown());
}

TEST(Settings, revision_changes_with_every_change) {
  Settings settings;
  const auto first = settings.revision();
  settings.apply(change(Kind::set, "a"));
  const auto second = settings.revision();
  EXPECT_NE(first, second);
  settings.begin();
  settings.apply(change(Kind::set_local, "b"));
  const auto third = settings.revision();
  settings.commit();
  EXPECT_NE(third, settings.revision());
  EXPECT_NE(second, third);
}

TEST(Settings, error_undoes_what_the_transaction_or_its_savepoint_changed) {
  Settings settings;
  settings.start({{std::string(kTenantSetting), "start"}});
  settings.begin();
  settings.apply(change(Kind::set, "first"));
  settings.savepoint("s");
  settings.apply(change(Kind::set, "second"));
  settings.fail();
  EXPECT_EQ(tenant(settings), "first");
  settings.rollback_to("s");
  settings.release("s");
  settings.fail();
  EXPECT_EQ(tenant(settings), "start");
}

// Tenant and agent become unknown together, and are known again each by itself.
TEST(Settings, agent_is_followed_like_the_tenant) {
  Settings settings;
  settings.start({{std::string(kAgentSetting), "start"}});
  EXPECT_EQ(settings.agent(), "start");
  settings.begin();
  settings.apply(agent_change(Kind::set_local, "inner"));
  EXPECT_EQ(settings.agent(), "inner");
  settings.set_tenant_unknown();
  EXPECT_TRUE(settings.agent_unknown());
  EXPECT_EQ(settings.agent(), "");
  settings.apply(change(Kind::set, "acme"));
  EXPECT_TRUE(settings.agent_unknown());
  EXPECT_FALSE(settings.tenant_unknown());
  settings.apply(agent_change(Kind::set_local, "again"));
  EXPECT_EQ(settings.agent(), "again");
  settings.commit();
  EXPECT_TRUE(settings.agent_unknown());  // what the session has below that is not known
  settings.apply(agent_change(Kind::reset));
  EXPECT_EQ(settings.agent(), "start");
}

TEST(Settings, reset_all_behind_a_set_local_leaves_that_one_unknown) {
  Settings settings;
  settings.begin();
  settings.apply(agent_change(Kind::set_local, "inner"));
  settings.apply(change(Kind::reset_all));
  EXPECT_TRUE(settings.agent_unknown());
  EXPECT_FALSE(settings.tenant_unknown());
}

// What a COMMIT in doubt leaves unknown is not what nobody has read.
TEST(Settings, unread_is_what_nobody_has_read) {
  Settings settings;
  settings.begin();
  settings.apply(change(Kind::set, "acme"));
  settings.may_have_committed(true);
  settings.rollback();
  EXPECT_TRUE(settings.tenant_unknown());
  EXPECT_FALSE(settings.is_unread());
  settings.set_all_unknown();
  EXPECT_TRUE(settings.is_unread());
}

}  // namespace
}  // namespace helios::session
