// SPDX-License-Identifier: Apache-2.0

// Input that would lie over a plugin's own stack or data is not written, and the plugin is not called.

#include "plugins/static_layout.hpp"

#include "plugin_fixture.hpp"
#include "plugins/abi/abi1_input.hpp"
#include "plugins/abi/host_imports.hpp"

#include <string>

namespace helios::plugins {
namespace {

using Status = hooks::CallResult::Status;

StaticLayout layout_of(const std::string& wat) {
  static const auto engine = make_wasm_engine({.max_instances = 1}, host_imports()).value();
  return StaticLayout::of(engine->assemble(wat).value());
}

constexpr std::uint32_t kTop = 1 << 20;

TEST(StaticLayout, stack_in_front_of_the_data_keeps_its_reserve) {
  const auto layout = layout_of(
      R"((module (memory 20) (global (mut i32) (i32.const 1048576)) (data (i32.const 1048576) "x")))");
  EXPECT_TRUE(layout.has_room(65536, kTop - 65536 - kStackReserveBytes));
  EXPECT_FALSE(layout.has_room(65536, kTop - 65536 - kStackReserveBytes + 1));
  EXPECT_FALSE(layout.has_room(65536, ~std::uint32_t{0}));
  EXPECT_TRUE(layout.has_room(kTop + 1, 1 << 20));  // behind its data: where a heap is
}

TEST(StaticLayout, block_may_not_reach_into_data_that_it_does_not_begin_in) {
  const auto layout = layout_of(
      R"((module (memory 20) (data (i32.const 4096) "abcd") (data (i32.const 100) "")
         (data "passive") (data (i32.const 9000) "x")))");
  EXPECT_TRUE(layout.has_room(1024, 3072));
  EXPECT_FALSE(layout.has_room(1024, 3073));
  EXPECT_TRUE(layout.has_room(4096, 4904));
  EXPECT_FALSE(layout.has_room(4096, 4905));
  EXPECT_TRUE(layout.has_room(9001, 1 << 20));
}

TEST(StaticLayout, first_global_that_is_no_stack_in_front_means_nothing) {
  for (
      const char* wat :
      {R"((module (memory 20) (global (mut i32) (i32.const 65536)) (data (i32.const 1024) "x")))",
       R"((module (memory 20) (global i32 (i32.const 1048576)) (data (i32.const 1048576) "x")))",
       R"((module (memory 20) (global (mut i64) (i64.const 1048576)) (data (i32.const 1048576) "x")))",
       R"((module (memory 20) (global (mut i32) (i32.const 1048576))))"})
    EXPECT_TRUE(layout_of(wat).has_room(2048, kTop - 2048)) << wat;
}

TEST(StaticLayout, cut_module_is_read_as_far_as_it_goes) {
  const auto engine = make_wasm_engine({.max_instances = 1}, host_imports()).value();
  const std::string whole =
      engine
          ->assemble(
              R"((module (memory 20) (global (mut i32) (i32.const 1048576)) (data (i32.const 1048576) "x")))")
          .value();
  for (std::size_t cut = 0; cut < whole.size(); ++cut)
    EXPECT_TRUE(StaticLayout::of(whole.substr(0, cut)).has_room(1, 16)) << cut;
  EXPECT_FALSE(StaticLayout::of(whole).has_room(1, kTop));
}

hooks::CallResult judge(const std::shared_ptr<const hooks::Chain>& chain, hooks::Plugin& plugin,
                        std::size_t text_bytes) {
  WaitingExecutor home;
  Statement statement(chain, "acme", std::string(text_bytes, 'x'));
  TestCall call(plugin, statement, hooks::HookPoint::pre_query, home);
  call.start();
  home.run_until([&] { return call.done(); });
  return call.result();
}

TEST_F(PatientPluginTest, text_that_has_no_room_fails_the_call_and_never_passes) {
  add_guest("bumps_into_its_data", "guard");
  const auto chain = load_ok();
  for (const std::size_t bytes : {1'000U, 100'000U, 450'000U})
    EXPECT_EQ(judge(chain, plugin(chain, "guard"), bytes).verdict.text, "guarded") << bytes;
  for (const std::size_t bytes : {460'000U, 490'000U, 500'000U, 600'000U}) {
    const auto result = judge(chain, plugin(chain, "guard"), bytes);
    EXPECT_EQ(result.status, Status::failed) << bytes;
  }
  EXPECT_NE(info("guard").last_error.find("own stack or data"), std::string::npos)
      << info("guard").last_error;
}

TEST_F(PatientPluginTest, manifest_without_normalized_sends_the_text_once) {
  add_guest("bumps_into_its_data", "guard");
  write_file("guard.toml", "normalized = false");
  const auto chain = load_ok();
  EXPECT_EQ(judge(chain, plugin(chain, "guard"), 900'000).verdict.text, "guarded");
  EXPECT_EQ(judge(chain, plugin(chain, "guard"), 920'000).status, Status::failed);
}

}  // namespace
}  // namespace helios::plugins
