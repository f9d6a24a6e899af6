// SPDX-License-Identifier: Apache-2.0

// Loading and reloading a plugin folder: what is found, what is refused with which line, what stays.

#include "plugin_fixture.hpp"

#include <algorithm>

namespace helios::plugins {
namespace {

using hooks::HookPoint;

std::vector<std::string> names(const hooks::Chain& chain) {
  std::vector<std::string> out;
  for (const auto& plugin : chain.plugins()) out.push_back(plugin->traits().name);
  return out;
}

TEST_F(PluginTest, no_folder_configured_is_an_empty_chain) {
  config_.directory.clear();
  EXPECT_FALSE(load_ok()->has_hooks());
  EXPECT_TRUE(host_->describe().empty());
}

TEST_F(PluginTest, missing_folder_is_an_error_that_names_it) {
  config_.directory = folder_ / "nowhere";
  config_.origin = "proxy.toml:3: plugins.directory";
  const auto chain = load();
  ASSERT_FALSE(chain);
  EXPECT_EQ(chain.error().message, "proxy.toml:3: plugins.directory: cannot read the folder " +
                                       config_.directory + ": No such file or directory");
}

TEST_F(PluginTest, plugins_are_sorted_by_order_then_name) {
  add_guest("counter", "b");
  add_guest("counter", "c");
  add_guest("counter", "a");
  write_file("c.toml", "order = -1");
  write_file(".hidden.wasm", "not a module");
  write_file("README.txt", "not a module");
  EXPECT_EQ(names(*load_ok()), (std::vector<std::string>{"c", "a", "b"}));
}

TEST_F(PluginTest, only_one_plugin_can_be_first) {
  add_guest("counter", "a");
  add_guest("counter", "b");
  write_file("a.toml", "order = -5");
  write_file("b.toml", "first = true");
  EXPECT_EQ(names(*load_ok()), (std::vector<std::string>{"b", "a"}));
  write_file("a.toml", "first = true\norder = -5");
  const auto chain = load();
  ASSERT_FALSE(chain);
  EXPECT_NE(chain.error().message.find("b.wat"), std::string::npos) << chain.error().message;
  EXPECT_NE(chain.error().message.find("only one plugin can be first"), std::string::npos);
}

TEST_F(PluginTest, who_was_first_stays_so_at_a_reload) {
  add_guest("counter", "a");
  add_guest("counter", "b");
  write_file("b.toml", "first = true");
  load_ok();
  write_file("a.toml", "first = true");
  const ReloadResult result = host_->reload(config_);
  ASSERT_EQ(result.errors.size(), 1U);
  EXPECT_NE(result.errors[0].find("a.wat"), std::string::npos) << result.errors[0];
  EXPECT_EQ(result.chain->plugins().front()->traits().name, "b");
}

TEST_F(PluginTest, plugin_without_manifest_has_the_hooks_that_it_exports) {
  add_guest("notes");
  const auto chain = load_ok();
  const hooks::PluginTraits& traits = plugin(chain, "notes").traits();
  EXPECT_TRUE(traits.has_pre_query);
  EXPECT_TRUE(traits.has_post_query);
  EXPECT_EQ(traits.on_error, hooks::OnError::deny);
  const PluginInfo described = info("notes");
  EXPECT_EQ(described.state, PluginInfo::State::loaded);
  EXPECT_EQ(described.hooks, (std::vector<std::string>{"pre_query", "post_query"}));
  EXPECT_EQ(described.file, (folder_ / "notes.wat").string());
  EXPECT_EQ(described.space, "notes");
  EXPECT_TRUE(described.warnings.empty());
}

TEST_F(PluginTest, manifest_decides_name_hooks_and_policy) {
  add_guest("notes", "x");
  write_file("x.toml",
             "name = \"helios_plugin_note_taker\"\nversion = \"2\"\nhooks = [\"post_query\"]\n"
             "on_error = \"allow\"\nstatements = \"all\"");
  const auto chain = load_ok();
  const hooks::PluginTraits& traits = plugin(chain, "helios_plugin_note_taker").traits();
  EXPECT_FALSE(traits.has_pre_query);
  EXPECT_TRUE(traits.has_post_query);
  EXPECT_TRUE(traits.all_statements);
  EXPECT_EQ(traits.on_error, hooks::OnError::allow);
  const PluginInfo described = info("helios_plugin_note_taker");
  EXPECT_EQ(described.space, "note-taker");
  EXPECT_EQ(described.version, "2");
  ASSERT_EQ(described.warnings.size(), 1U);
  EXPECT_NE(described.warnings[0].find("\"pre_query\", which its manifest does not name"),
            std::string::npos);
}

TEST_F(PluginTest, module_whose_hooks_are_never_called_stops_the_start) {
  add_guest("only_routes");
  const auto chain = load();
  ASSERT_FALSE(chain);
  EXPECT_NE(chain.error().message.find("only \"route\": it would never act"), std::string::npos)
      << chain.error().message;
  config_.optional = {"only_routes"};
  EXPECT_FALSE(load_ok()->has_hooks());
  EXPECT_EQ(info("only_routes").state, PluginInfo::State::failed);
}

TEST_F(PluginTest, module_whose_hooks_are_never_called_is_refused_by_a_reload) {
  add_guest("counter", "p");
  load_ok();
  add_guest("only_routes", "p");
  const ReloadResult result = host_->reload(config_);
  ASSERT_EQ(result.errors.size(), 1U);
  EXPECT_NE(result.errors[0].find("it would never act"), std::string::npos);
  EXPECT_EQ(info("p").state, PluginInfo::State::outdated);
}

TEST_F(PluginTest, manifest_that_names_another_optional_hook_does_not_help) {
  add_guest("only_routes");
  write_file("only_routes.toml", "optional_hooks = [\"rewrite\"]");
  EXPECT_FALSE(load());
}

TEST_F(PluginTest, settled_in_the_manifest_of_abi_1_stops_the_start) {
  add_guest("notes");
  write_file("notes.toml", "hooks = [\"pre_query\", \"settled\"]");
  const auto chain = load();
  ASSERT_FALSE(chain);
  EXPECT_NE(chain.error().message.find("ABI 1"), std::string::npos) << chain.error().message;
}

TEST_F(PluginTest, foreign_manifest_is_read_and_what_has_no_effect_is_named) {
  add_guest("notes");
  write_file("notes.toml",
             "name = \"helios-plugin-notes\"\nversion = \"0.1.0\"\ndescription = \"d\"\n"
             "author = \"a\"\nlicense = \"Apache-2.0\"\nhooks = [\"pre_query\"]\n"
             "permissions = [\"kv_read\", \"http_post\"]\nmin_memory = 1048576\n"
             "max_memory = 16777216\npriority = 40\n");
  load_ok();
  const PluginInfo described = info("helios-plugin-notes");
  EXPECT_EQ(described.hooks, std::vector<std::string>{"pre_query"});
  EXPECT_EQ(log_.count(base::LogLevel::warning,
                       "have no effect here: description author license permissions min_memory "
                       "max_memory priority"),
            1U);
}

TEST_F(PluginTest, folder_with_nothing_but_other_files_says_so) {
  write_file("cost-governor-1.0.0.tar.gz", "artefact");
  write_file("README.txt", "text");
  EXPECT_FALSE(load_ok()->has_hooks());
  EXPECT_EQ(log_.count(base::LogLevel::warning, "no plugin in it"), 1U);
  EXPECT_EQ(log_.count(base::LogLevel::warning, "README.txt, cost-governor-1.0.0.tar.gz"), 1U);
}

TEST_F(PluginTest, files_beside_plugins_are_named_and_their_manifests_are_not) {
  add_guest("notes");
  write_file("notes.toml", "order = 1");
  write_file("notes.sig", "signature");
  load_ok();
  EXPECT_EQ(log_.count(base::LogLevel::info, "neither plugin nor manifest: notes.sig"), 1U);
  EXPECT_EQ(log_.count(base::LogLevel::warning, "plugin folder"), 0U);
}

TEST_F(PluginTest, hook_that_is_not_called_and_may_be_so_is_a_warning) {
  add_guest("only_routes");
  write_file("only_routes.toml", "optional_hooks = [\"route\"]");
  load_ok();
  const PluginInfo described = info("only_routes");
  EXPECT_TRUE(described.hooks.empty());
  ASSERT_EQ(described.warnings.size(), 1U);
  EXPECT_NE(described.warnings[0].find("\"route\""), std::string::npos);
  EXPECT_EQ(log_.count(base::LogLevel::warning, "\"route\""), 1U);
}

TEST_F(PluginTest, plugin_that_cannot_be_loaded_stops_the_start_with_one_line) {
  const struct {
    std::string_view guest;
    std::string_view reason;
  } kCases[] = {
      {"broken", "type mismatch"},
      {"start_loops", "does not start within 100 ms"},
      {"initialize_traps", "does not start: trap: unreachable"},
      {"bad_pointer_at_start", "does not start: trap: kv_set was handed a range outside"},
      {"unknown_import", "imports \"env.open_socket\", which the proxy does not offer"},
      {"mistyped_import",
       "imports \"env.kv_get\" as (i32, i32) -> i32; it is (i32, i32, i32, i32)"},
      {"no_alloc", "does not export the function \"alloc\": (i32) -> i32"},
      {"no_memory_export", "does not export its memory as \"memory\""},
      {"no_hook", "exports no hook"},
      {"mistyped_hook", "exports \"pre_query\" as (i32) -> i32; it must be (i32, i32) -> i64"},
      {"big_memory", "exceeds the limit"},
      {"big_table", "exceeds the limit"},
      {"two_memories", "multiple memories"},
  };
  for (const auto& one : kCases) {
    add_guest(one.guest, "bad");
    const auto chain = load();
    ASSERT_FALSE(chain) << one.guest;
    const std::string& message = chain.error().message;
    EXPECT_TRUE(message.starts_with("plugin " + (folder_ / "bad.wat").string() + ": ")) << message;
    EXPECT_NE(message.find(one.reason), std::string::npos) << one.guest << ": " << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  }
  EXPECT_EQ(key_count(), 0U);
}

TEST_F(PluginTest, file_that_is_no_module_stops_the_start) {
  write_file("bad.wasm", "hello");
  const auto chain = load();
  ASSERT_FALSE(chain);
  EXPECT_EQ(chain.error().message.find('\n'), std::string::npos);
}

TEST_F(PluginTest, module_over_the_size_limit_stops_the_start) {
  config_.limits.module_kb = 1;
  write_file("bad.wasm", std::string(1025, 'x'));
  const auto chain = load();
  ASSERT_FALSE(chain);
  EXPECT_NE(chain.error().message.find("larger than 1 KiB"), std::string::npos);
}

TEST_F(PluginTest, import_that_the_manifest_does_not_grant_stops_the_start) {
  add_guest("counter");
  write_file("counter.toml", "imports = [\"kv_get\"]");
  const auto chain = load();
  ASSERT_FALSE(chain);
  EXPECT_NE(chain.error().message.find("\"env.kv_set\", which its manifest does not grant"),
            std::string::npos);
}

TEST_F(PluginTest, hook_named_but_not_exported_stops_the_start) {
  add_guest("counter");
  write_file("counter.toml", "hooks = [\"post_query\"]");
  const auto chain = load();
  ASSERT_FALSE(chain);
  EXPECT_NE(chain.error().message.find("does not export the function \"post_query\""),
            std::string::npos);
}

TEST_F(PluginTest, bad_manifest_stops_the_start) {
  add_guest("counter");
  write_file("counter.toml", "\norder = \"first\"");
  const auto chain = load();
  ASSERT_FALSE(chain);
  EXPECT_NE(chain.error().message.find("counter.toml:2: order: must be an integer"),
            std::string::npos);
}

TEST_F(PluginTest, optional_plugin_that_fails_is_left_out) {
  add_guest("counter");
  add_guest("no_alloc", "helios-plugin-bad_one");
  config_.optional = {"bad-one"};
  const auto chain = load_ok();
  EXPECT_EQ(names(*chain), std::vector<std::string>{"counter"});
  const PluginInfo described = info("helios-plugin-bad_one");
  EXPECT_EQ(described.state, PluginInfo::State::failed);
  EXPECT_NE(described.load_error.find("alloc"), std::string::npos);
  EXPECT_EQ(log_.count(base::LogLevel::warning, "optional"), 1U);
}

TEST_F(PluginTest, two_plugins_of_one_namespace_stop_the_start) {
  add_guest("counter", "cost-governor");
  add_guest("counter", "helios_plugin_cost_governor");
  const auto chain = load();
  ASSERT_FALSE(chain);
  const std::string& message = chain.error().message;
  EXPECT_NE(message.find("namespace \"cost-governor\""), std::string::npos) << message;
  EXPECT_NE(message.find("/cost-governor.wat"), std::string::npos) << message;
  EXPECT_NE(message.find("/helios_plugin_cost_governor.wat"), std::string::npos) << message;
}

TEST_F(PluginTest, name_that_cannot_be_a_namespace_stops_the_start) {
  add_guest("counter", "a b");
  EXPECT_FALSE(load());
}

TEST_F(PluginTest, reload_adds_swaps_and_removes) {
  add_guest("counter", "a");
  add_guest("counter", "b");
  const auto before = load_ok();
  add_guest("blocks", "b");
  add_guest("blocks", "c");
  remove_file("a.wat");
  const ReloadResult after = host_->reload(config_);
  EXPECT_TRUE(after.errors.empty());
  EXPECT_EQ(names(*after.chain), (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(run_hook(after.chain, "b", HookPoint::pre_query).verdict.action,
            hooks::Verdict::Action::block);
  // A statement that began before keeps its version.
  EXPECT_EQ(run_hook(before, "b", HookPoint::pre_query).verdict.action,
            hooks::Verdict::Action::proceed);
  EXPECT_EQ(value("b", "count:acme"), "1");
}

TEST_F(PluginTest, reload_leaves_unchanged_plugins_alone) {
  add_guest("counter", "a");
  const auto before = load_ok();
  run_hook(before, "a", HookPoint::pre_query);
  const ReloadResult same = host_->reload(config_);
  EXPECT_EQ(same.chain->plugins()[0], before->plugins()[0]);
  write_file("a.toml", "order = 3");
  const ReloadResult changed = host_->reload(config_);
  EXPECT_NE(changed.chain->plugins()[0], before->plugins()[0]);
  EXPECT_EQ(changed.chain->plugins()[0]->traits().order, 3);
  EXPECT_EQ(info("a").calls, 1U);  // counters belong to the namespace
}

TEST_F(PluginTest, reload_keeps_the_old_version_of_what_is_broken_now) {
  add_guest("counter", "a");
  add_guest("counter", "b");
  const auto before = load_ok();
  add_guest("no_alloc", "a");
  add_guest("blocks", "b");
  add_guest("no_alloc", "c");
  const ReloadResult after = host_->reload(config_);
  ASSERT_EQ(after.errors.size(), 2U);
  EXPECT_NE(after.errors[0].find("a.wat: does not export"), std::string::npos);
  EXPECT_NE(after.errors[1].find("c.wat: does not export"), std::string::npos);
  EXPECT_EQ(names(*after.chain), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(after.chain->plugins()[0], before->plugins()[0]);
  EXPECT_EQ(info("a").state, PluginInfo::State::outdated);
  EXPECT_EQ(info("b").state, PluginInfo::State::loaded);
  EXPECT_EQ(info("c").state, PluginInfo::State::failed);

  add_guest("counter", "a");
  EXPECT_EQ(host_->reload(config_).chain->plugins()[0], before->plugins()[0]);
  EXPECT_EQ(info("a").state, PluginInfo::State::loaded);
}

TEST_F(PluginTest, reload_keeps_the_owner_of_a_namespace) {
  add_guest("counter", "z");
  const auto before = load_ok();
  add_guest("counter", "a");
  write_file("a.toml", "name = \"z\"");
  const ReloadResult after = host_->reload(config_);
  ASSERT_EQ(after.errors.size(), 1U);
  EXPECT_NE(after.errors[0].find("a.wat: its namespace \"z\""), std::string::npos);
  ASSERT_EQ(after.chain->plugins().size(), 1U);
  EXPECT_EQ(after.chain->plugins()[0], before->plugins()[0]);
}

TEST_F(PluginTest, reload_without_the_folder_changes_nothing) {
  add_guest("counter");
  const auto before = load_ok();
  std::filesystem::remove_all(folder_);
  const ReloadResult after = host_->reload(config_);
  EXPECT_EQ(after.errors.size(), 1U);
  ASSERT_EQ(after.chain->plugins().size(), 1U);
  EXPECT_EQ(after.chain->plugins()[0], before->plugins()[0]);
}

TEST_F(PluginTest, state_survives_unloading) {
  add_guest("counter");
  run_hook(load_ok(), "counter", HookPoint::pre_query);
  remove_file("counter.wat");
  EXPECT_FALSE(host_->reload(config_).chain->has_hooks());
  add_guest("counter");
  run_hook(host_->reload(config_).chain, "counter", HookPoint::pre_query);
  EXPECT_EQ(value("counter", "count:acme"), "2");
}

}  // namespace
}  // namespace helios::plugins
