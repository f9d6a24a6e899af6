// SPDX-License-Identifier: Apache-2.0

// Goal: whatever others have chosen, an event is one JSON object of bounded size that says what it left out.

#include "app/event_json.hpp"

#include "hooks/plugin.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace helios::app {
namespace {

namespace json = boost::json;

// What is long, quotes itself, and is no UTF-8.
const std::string kHostile = std::string(5'000, '"') + "\xff\n\\" + std::string(1, '\0');

json::object parsed(const std::string& text) {
  EXPECT_LE(text.size(), hooks::kMaxEventBytes);
  return json::parse(text).as_object();
}

TEST(EventJson, lists_are_cut_and_say_how_much_is_missing) {
  std::vector<plugins::PluginInfo> plugins(500);
  for (auto& plugin : plugins) plugin.name = plugin.version = plugin.sha256 = kHostile;
  const ProcessFacts facts{.process = "0011223344556677", .configuration = kHostile};
  const json::object start = parsed(start_json(facts, "start", plugins));
  EXPECT_EQ(start.at("cause"), "start");
  EXPECT_EQ(start.at("plugins").as_array().size() +
                static_cast<std::size_t>(start.at("more_plugins").to_number<int>()),
            500U);
  EXPECT_GT(start.at("plugins").as_array().size(), 0U);

  admin::ReloadReport report;
  for (int i = 0; i < 500; ++i) {
    report.changes.push_back({.kind = "added",
                              .name = kHostile,
                              .version = kHostile,
                              .sha256 = kHostile,
                              .old_version = kHostile,
                              .old_sha256 = kHostile});
    report.errors.push_back(kHostile);
  }
  const json::object reload = parsed(reload_json(facts, kHostile, true, report));
  EXPECT_TRUE(reload.at("refused").as_bool());
  EXPECT_GT(reload.at("more_changes").to_number<int>(), 0);
  EXPECT_GT(reload.at("more_errors").to_number<int>(), 0);
}

TEST(EventJson, what_is_kept_is_no_change) {
  admin::ReloadReport report;
  report.changes = {{.kind = "kept",
                     .name = "a",
                     .version = "",
                     .sha256 = "",
                     .old_version = "",
                     .old_sha256 = ""},
                    {.kind = "removed",
                     .name = "b",
                     .version = "1",
                     .sha256 = "ab",
                     .old_version = "",
                     .old_sha256 = ""}};
  const json::object reload = parsed(reload_json({}, "", false, report));
  ASSERT_EQ(reload.at("changes").as_array().size(), 1U);
  EXPECT_EQ(reload.at("changes").as_array()[0].at("name"), "b");
  EXPECT_TRUE(reload.at("configuration").is_null());
  EXPECT_FALSE(reload.contains("more_changes"));
}

TEST(EventJson, texts_of_clients_and_operators_are_bounded) {
  session::RefusalRecord record;
  for (std::string* text :
       {&record.request_id, &record.user, &record.database, &record.tenant, &record.client,
        &record.application_name, &record.plugin, &record.sqlstate, &record.reason})
    *text = kHostile;
  const json::object login = parsed(login_json(record, false, 7));
  EXPECT_EQ(login.at("left_out").to_number<int>(), 7);
  EXPECT_EQ(parsed(login_json(record, true, 0)).at("by"), "server");
  record.plugin.clear();
  EXPECT_EQ(parsed(login_json(record, false, 0)).at("by"), "proxy");
  EXPECT_FALSE(parsed(login_json(record, false, 0)).contains("left_out"));

  const json::object action = parsed(admin_json({.method = "PUT",
                                                 .target = kHostile,
                                                 .token = kHostile,
                                                 .client = kHostile,
                                                 .body = kHostile,
                                                 .is_forced = true,
                                                 .ttl_ms = "1"},
                                                ""));
  EXPECT_EQ(action.at("ttl_ms"), "1");
  EXPECT_EQ(action.at("body_bytes").to_number<std::size_t>(), kHostile.size());
  EXPECT_TRUE(action.at("body_hmac").is_null());
  EXPECT_TRUE(action.at("forced").as_bool());
}

TEST(EventJson, blocks_say_until_when_and_how_they_ended) {
  const blocks::Block block{.kind = blocks::Kind::user,
                            .name = "ann",
                            .reason = "runs wild",
                            .since_ms = 0,
                            .expires_at_ms = 1'704'067'200'000};
  const json::object begun = parsed(block_json(block, 3));
  EXPECT_EQ(begun.at("of"), "user");
  EXPECT_EQ(begun.at("until"), "2024-01-01T00:00:00.000Z");
  EXPECT_EQ(begun.at("sessions_ended").to_number<int>(), 3);
  EXPECT_EQ(parsed(unblock_json(block, "expired")).at("cause"), "expired");
}

}  // namespace
}  // namespace helios::app
