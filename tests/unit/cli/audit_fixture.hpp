// SPDX-License-Identifier: Apache-2.0
#pragma once

// `heliosproxy audit ...` on a trail in memory, whose records are made by hand as audit-chain makes them.

#include "cli/audit_command.hpp"
#include "cli/options.hpp"
#include "kv/memory_store.hpp"
#include "support/append_record.hpp"
#include "unit/admin/router_fixture.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

#include <functional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace helios::cli {

class AuditCommand : public ::testing::Test {
 protected:
  // What `heliosproxy audit WORDS...` prints, then "error: ..." as it says it.
  std::string audit(std::vector<std::string> words) {
    std::vector<const char*> arguments = {"heliosproxy", "audit"};
    for (const std::string& word : words) arguments.push_back(word.c_str());
    const auto parsed = parse_command_line(static_cast<int>(arguments.size()), arguments.data());
    if (!parsed.options) return "usage: " + parsed.text;
    std::istringstream in;
    std::ostringstream out;
    std::ostringstream notes;
    const AskAdmin ask = [this](const admin::Request& request) -> base::Result<admin::Response> {
      ++asked;
      if (is_down) return base::fail(base::Errc::unavailable, "127.0.0.1:9090: Connection refused");
      return admin.send(request);
    };
    const auto result = run_audit(parsed.options->audit,
                                  {.state = {.ask = ask, .read_page = page_reader(ask)},
                                   .console = {in, out, [this](std::int64_t) { on_pause(); }},
                                   .notes = notes,
                                   .now_ms = clock.wall_ms()});
    said = notes.str();
    return result ? out.str() : out.str() + "error: " + result.error().message;
  }

  static std::string id(int number) {
    const std::string digits = std::to_string(number);
    return "00000000-0000-4000-8000-" + std::string(12 - digits.size(), '0') + digits;
  }

  void append(const std::string& record) {
    test::append_record(store, "audit-chain", "trail", record);
  }

  // The records of one request. `more`: fields, as ,"name":value.
  void intend(int number, const std::string& text = "SELECT 1",
              const std::string& tenant = "acme") {
    append(R"({"type":"intent","version":3,"time_ms":1,"request":")" + id(number) +
           R"(","session":"s1","user":"app","database":"shop","tenant":")" + tenant +
           R"(","agent":null,"client":"127.0.0.1","application":"psql",)"
           R"("fingerprint":"00000000000000ff","parameters":[{"type":23,"format":"text",)"
           R"("bytes":2,"sha256":"aa","start":"42"},null],"more_parameters":null,)"
           R"("text_bytes":)" +
           std::to_string(text.size()) + R"(,"text_sha256":"bb","text":)" +
           boost::json::serialize(boost::json::value(text)) + "}");
  }
  void end(int number, const std::string& outcome = "executed", const std::string& sqlstate = "",
           const std::string& more = "") {
    append(R"({"type":"outcome","version":3,"time_ms":1,"request":")" + id(number) +
           R"(","outcome":")" + outcome +
           R"(","tag":"SELECT 1","rows":1,"duration_us":1204,)"
           R"("answer_bytes":60,"sqlstate":")" +
           sqlstate + "\"" + more + "}");
  }
  void settle(int number, const std::string& settlement = "committed") {
    append(R"({"type":"settlement","version":3,"time_ms":1,"request":")" + id(number) +
           R"(","settlement":")" + settlement + "\"}");
  }
  void run(int number, const std::string& text = "SELECT 1", const std::string& tenant = "acme") {
    intend(number, text, tenant);
    end(number);
    settle(number);
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
  int asked = 0;                   // requests so far
  std::string said;                // notes of the last command
  std::function<void()> on_pause;  // what happens while a command waits
};

}  // namespace helios::cli
