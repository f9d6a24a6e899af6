// SPDX-License-Identifier: Apache-2.0

// A guard cannot go missing: what the configuration demands of the plugin folder is there, or nothing changes.

#include "plugins/requirements.hpp"

#include "plugin_fixture.hpp"
#include "plugins/sha256.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <set>

namespace helios::plugins {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Requirements : public PluginTest {
 protected:
  void require(std::string_view name, std::string_view sha256 = "",
               std::string_view manifest_sha256 = "") {
    config_.required.push_back({.name = std::string(name),
                                .sha256 = std::string(sha256),
                                .manifest_sha256 = std::string(manifest_sha256),
                                .origin = "h.toml:7: required"});
  }

  std::string start_error() {
    const auto chain = load();
    return chain ? "no error" : chain.error().message;
  }

  std::string sha256_of(const std::string& file_name) const {
    std::ifstream file(folder_ / file_name, std::ios::binary);
    return sha256_hex(std::string(std::istreambuf_iterator<char>(file), {}));
  }

  static std::vector<std::string> told(const ReloadResult& result) {
    std::vector<std::string> lines;
    for (const PluginChange& change : result.changes)
      lines.push_back(change.name + " " + std::string(to_text(change.kind)));
    return lines;
  }

  std::string path(const std::string& file_name) const { return (folder_ / file_name).string(); }
};

TEST_F(Requirements, plugin_that_is_there_and_right_starts) {
  add_guest("counter", "guard");
  require("guard", sha256_of("guard.wat"));
  require("helios-plugin-guard");  // the same namespace
  EXPECT_EQ(load_ok()->plugins().size(), 1U);
  EXPECT_EQ(info("guard").sha256, sha256_of("guard.wat"));
}

TEST_F(Requirements, all_that_is_missing_or_wrong_is_said_at_once) {
  add_guest("counter", "other");
  add_guest("counter", "lax");
  write_file("lax.toml", "on_error = \"allow\"");
  add_guest("no_alloc", "broken");
  add_guest("no_alloc", "broken-too");
  write_file("lone.toml", "order = 1");
  require("absent");
  require("other", std::string(64, '0'));
  require("lax");
  require("broken");
  config_.optional = {"nobody"};
  config_.optional_origin = "h.toml:8: optional";
  EXPECT_EQ(
      start_error(),
      "h.toml:7: required: plugin \"absent\" is required, and no plugin in " + folder_.string() +
          " has that name: put its module there, or take it out of the list\n"
          "h.toml:7: required: plugin \"other\" is required, and " +
          path("other.wat") + " has the SHA-256 " + sha256_of("other.wat") + ", not " +
          std::string(64, '0') +
          ": put the right module there, or correct the list if the new one is meant\n"
          "h.toml:7: required: plugin \"lax\" is required, and its manifest says on_error = "
          "\"allow\", so statements would pass when it fails: say \"deny\" there\n"
          "h.toml:7: required: plugin \"broken\" is required, and " +
          path("broken.wat") +
          " cannot be loaded: does not export the function \"alloc\": (i32) -> i32\n"
          "h.toml:8: optional: \"nobody\" is the name of no plugin in " +
          folder_.string() + ": correct it, or take it out of the list\nplugin " +
          path("broken-too.wat") +
          ": does not export the function \"alloc\": (i32) -> i32\nplugin " + path("lone.toml") +
          ": a manifest without a module: put lone.wasm or lone.wat beside it, or remove the "
          "manifest");
}

// Whoever may write the manifest can take hooks away, or leave a plugin that decides nothing any more.
TEST_F(Requirements, manifest_can_be_held_too) {
  const std::string watching = "hooks = [\"pre_query\"]";
  add_guest("counter", "guard");
  write_file("guard.toml", watching);
  require("guard", sha256_of("guard.wat"), sha256_of("guard.toml"));
  load_ok();
  EXPECT_EQ(info("guard").manifest_sha256, sha256_of("guard.toml"));
  const std::function<void()> ways[] = {
      [this] { write_file("guard.toml", "order = 1"); },
      [this] { write_file("guard.toml", "hooks = [\"pre_query\"]\nappend_only = true"); },
      [this] { remove_file("guard.toml"); },
  };
  for (const auto& weaken : ways) {
    weaken();
    const ReloadResult refused = host_->reload(config_);
    EXPECT_TRUE(refused.is_refused);
    EXPECT_THAT(refused.errors,
                ElementsAre(HasSubstr("\"guard\" is required, and its manifest has the SHA-256 ")));
  }
  write_file("guard.toml", watching);
  EXPECT_FALSE(host_->reload(config_).is_refused);
}

TEST_F(Requirements, that_there_is_no_manifest_can_be_demanded) {
  add_guest("counter", "guard");
  require("guard", "", sha256_hex(""));
  load_ok();
  write_file("guard.toml", "order = 1");
  EXPECT_TRUE(host_->reload(config_).is_refused);
}

TEST_F(Requirements, without_a_folder_every_required_plugin_is_missing) {
  config_.directory.clear();
  config_.optional = {"nobody"};
  require("guard");
  EXPECT_EQ(start_error(),
            "h.toml:7: required: plugin \"guard\" is required, and [plugins] directory names no "
            "folder: name the one that it lies in");
}

TEST_F(Requirements, reload_that_would_lose_a_required_plugin_changes_nothing) {
  add_guest("counter", "guard");
  add_guest("counter", "other");
  require("guard");
  const auto before = load_ok();
  remove_file("guard.wat");
  add_guest("blocks", "other");
  add_guest("blocks", "new");
  const ReloadResult refused = host_->reload(config_);
  EXPECT_TRUE(refused.is_refused);
  EXPECT_THAT(refused.errors, ElementsAre(HasSubstr("\"guard\" is required, and no plugin in ")));
  EXPECT_THAT(refused.changes, IsEmpty());
  EXPECT_EQ(refused.chain->plugins(), before->plugins());
  EXPECT_EQ(host_->describe().size(), 2U);
  EXPECT_EQ(log_.count(base::LogLevel::error, "; nothing changed"), 1U);

  add_guest("counter", "guard");
  const ReloadResult accepted = host_->reload(config_);
  EXPECT_FALSE(accepted.is_refused);
  EXPECT_THAT(accepted.errors, IsEmpty());
  EXPECT_THAT(told(accepted), ElementsAre("guard kept", "new added", "other changed"));
}

TEST_F(Requirements, every_way_to_lose_it_refuses_the_reload) {
  add_guest("counter", "guard");
  require("guard", sha256_of("guard.wat"));
  const auto before = load_ok();
  const std::function<void()> ways[] = {
      [this] { remove_file("guard.wat"); },
      [this] { add_guest("no_alloc", "guard"); },
      [this] { add_guest("blocks", "guard"); },  // another SHA-256
      [this] { write_file("guard.toml", "on_error = \"allow\""); },
      [this] { write_file("guard.toml", "name = \"another\""); },
      [this] { write_file("guard.toml", "no such key = 1"); },
      [this] {
        remove_file("guard.wat");
        write_file("guard.toml", "order = 1");
      },
      [this] { std::filesystem::remove_all(folder_); },
  };
  for (const auto& lose : ways) {
    std::filesystem::create_directories(folder_);
    add_guest("counter", "guard");
    std::filesystem::remove(folder_ / "guard.toml");
    ASSERT_FALSE(host_->reload(config_).is_refused);
    lose();
    const ReloadResult result = host_->reload(config_);
    EXPECT_THAT(result.errors, SizeIs(1));
    ASSERT_EQ(result.chain->plugins().size(), 1U);
    EXPECT_EQ(result.chain->plugins()[0]->traits().name, "guard");
    EXPECT_EQ(result.chain->plugins()[0]->traits().on_error, hooks::OnError::deny);
  }
  std::filesystem::create_directories(folder_);
}

TEST_F(Requirements, refused_reload_leaves_limits_and_folder_as_they_were) {
  add_guest("counter", "guard");
  require("guard");
  const auto before = load_ok();
  config::Plugins next = config_;
  next.limits.memory_mb = 1;
  next.directory = (folder_ / "nowhere").string();
  std::filesystem::create_directories(next.directory);
  EXPECT_TRUE(host_->reload(next).is_refused);
  EXPECT_EQ(host_->reload(config_).chain->plugins(), before->plugins());
  EXPECT_EQ(run_hook(before, "guard", hooks::HookPoint::pre_query).status,
            hooks::CallResult::Status::ok);
}

TEST_F(Requirements, unknown_optional_name_refuses_start_and_reload) {
  add_guest("counter", "a");
  load_ok();
  config_.optional = {"b"};
  config_.optional_origin = "h.toml:8: plugins.optional";
  EXPECT_TRUE(host_->reload(config_).is_refused);
  EXPECT_THAT(start_error(),
              HasSubstr("h.toml:8: plugins.optional: \"b\" is the name of no plugin"));
}

TEST_F(Requirements, plugin_whose_manifest_is_all_that_is_left_runs_on) {
  add_guest("counter", "a");
  write_file("a.toml", "version = \"1\"");
  const auto before = load_ok();
  remove_file("a.wat");
  const ReloadResult result = host_->reload(config_);
  EXPECT_FALSE(result.is_refused);
  EXPECT_THAT(result.errors, ElementsAre(AllOf(HasSubstr("a.wat: a manifest without a module"),
                                               HasSubstr("or remove the manifest"))));
  EXPECT_EQ(result.chain->plugins(), before->plugins());
  EXPECT_EQ(info("a").state, PluginInfo::State::outdated);
  remove_file("a.toml");
  EXPECT_THAT(told(host_->reload(config_)), ElementsAre("a removed"));
}

TEST_F(Requirements, strict_in_a_manifest_needs_a_state_directory) {
  add_guest("counter", "chain");
  write_file("chain.toml", "durability = \"strict\"");
  EXPECT_THAT(start_error(), AllOf(HasSubstr("asks for durability = \"strict\""),
                                   HasSubstr("set [state] directory"),
                                   HasSubstr("[state.namespaces] chain = \"memory\"")));
  const auto starts = [&](config::State state) {
    host_ = std::make_unique<PluginHost>(config_, store_, lane_, clock_, log_, kInlineTicks,
                                         nullptr, std::move(state));
    return host_->load().has_value();
  };
  config::State on_disk;
  on_disk.directory = "/somewhere";
  EXPECT_TRUE(starts(on_disk));
  config::State classed;
  classed.namespaces = {{"helios-plugin-chain", config::Durability::memory}};
  EXPECT_TRUE(starts(classed));
  classed.namespaces.front().first = "another";
  EXPECT_FALSE(starts(classed));
}

TEST_F(Requirements, reload_tells_versions_and_digests) {
  add_guest("counter", "a");
  write_file("a.toml", "version = \"1\"");
  load_ok();
  const std::string old_sha256 = sha256_of("a.wat");
  add_guest("blocks", "a");
  write_file("a.toml", "version = \"2\"");
  const ReloadResult result = host_->reload(config_);
  ASSERT_THAT(result.changes, SizeIs(1));
  EXPECT_EQ(describe_change(result.changes[0]),
            "a changed: version 2, SHA-256 " + sha256_of("a.wat") +
                " takes the place of version 1, SHA-256 " + old_sha256);
  EXPECT_EQ(log_.count(base::LogLevel::info, "reload: plugin a changed: version 2, "), 1U);
  remove_file("a.toml");
  remove_file("a.wat");
  const ReloadResult gone = host_->reload(config_);
  ASSERT_THAT(gone.changes, SizeIs(1));
  EXPECT_EQ(describe_change(gone.changes[0]),
            "a removed: version 2, SHA-256 " + result.changes[0].sha256);
  EXPECT_EQ(log_.count(base::LogLevel::warning, "reload: plugin a removed: "), 1U);
}

// Model: a plugin is named once; added where it did not run, removed where it does not any more.
TEST(PluginChanges, random_sets_are_told_like_sets) {
  std::mt19937 random(7);
  const auto draw = [&] {
    std::vector<PluginInfo> infos;
    for (char name = 'a'; name < 'h'; ++name) {
      if (random() % 2 == 0) continue;
      PluginInfo& info = infos.emplace_back();
      info.name = name;
      info.sha256 = std::to_string(random() % 3);
      info.state = static_cast<PluginInfo::State>(random() % 3);
    }
    return infos;
  };
  const auto running = [](const std::vector<PluginInfo>& infos) {
    std::set<std::string> names;
    for (const PluginInfo& info : infos)
      if (info.state != PluginInfo::State::failed) names.insert(info.name);
    return names;
  };
  for (int round = 0; round < 500; ++round) {
    const auto before = draw();
    const auto after = draw();
    std::map<std::string, std::string_view> expected;
    const auto ran = running(before);
    const auto runs = running(after);
    for (const auto& name : ran) expected[name] = runs.contains(name) ? "kept" : "removed";
    for (const auto& name : runs) {
      if (!ran.contains(name)) expected[name] = "added";
      if (ran.contains(name) && name < "d") expected[name] = "changed";
    }
    std::map<std::string, std::string_view> told;
    for (const PluginChange& change :
         changes_between(before, after, [](const auto& name) { return name < "d"; }))
      EXPECT_TRUE(told.emplace(change.name, to_text(change.kind)).second) << change.name;
    EXPECT_EQ(told, expected);
  }
}

}  // namespace
}  // namespace helios::plugins
