// SPDX-License-Identifier: Apache-2.0
#pragma once

// `heliosproxy kv ...` on a router in memory.

#include "cli/kv_command.hpp"
#include "cli/options.hpp"
#include "kv/memory_store.hpp"
#include "unit/admin/router_fixture.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace helios::cli {

class KvCommand : public ::testing::Test {
 protected:
  KvCommand() {
    for (const char* const space : {"p", "q"}) store.open(space).value();
  }

  // What `heliosproxy kv WORDS...` prints, or "error: ..." as it says it.
  std::string kv(std::vector<std::string> words, std::string input = {}) {
    std::vector<const char*> arguments = {"heliosproxy", "kv"};
    for (const std::string& word : words) arguments.push_back(word.c_str());
    const auto parsed = parse_command_line(static_cast<int>(arguments.size()), arguments.data());
    if (!parsed.options) return "usage: " + parsed.text;
    std::istringstream in(std::move(input));
    std::ostringstream out;
    const AskAdmin ask = [this](const admin::Request& request) -> base::Result<admin::Response> {
      if (is_down) return base::fail(base::Errc::unavailable, "127.0.0.1:9090: Connection refused");
      admin::Response response = admin.send(request);
      if (change_answer) change_answer(response.body);
      return response;
    };
    const auto result = run_kv(parsed.options->kv, ask,
                               {in, out, [this](std::int64_t) { on_pause(); }}, clock.wall_ms());
    return result ? out.str() : out.str() + "error: " + result.error().message;
  }

  // For the store and for the router.
  void advance_ms(std::int64_t ms) {
    clock.advance_ms(ms);
    admin.clock.advance_ms(ms);
  }

  test::FakeClock clock;
  kv::MemoryStore store{kv::Limits{}, clock};
  admin::RouterDriver admin{store};
  bool is_down = false;
  std::function<void(std::string&)> change_answer;
  std::function<void()> on_pause;  // what happens while a command waits
};

}  // namespace helios::cli
