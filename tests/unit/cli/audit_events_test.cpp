// SPDX-License-Identifier: Apache-2.0

// Goal: `audit events` prints what happened beside statements, and nothing else, on lines that nothing in it can break.

#include "audit_fixture.hpp"

#include <gmock/gmock.h>

namespace helios::cli {
namespace {

using testing::HasSubstr;

class AuditEvents : public AuditCommand {
 protected:
  void happen(const std::string& kind, const std::string& detail) {
    append(R"({"type":"event","version":4,"time_ms":1,"event":")" + kind + R"(","detail":)" +
           detail + "}");
  }
};

TEST_F(AuditEvents, statements_are_passed_over) {
  happen("start", R"({"cause":"start"})");
  intend(1);
  end(1);
  happen("login_denied", R"({"user":"a\u001b[2J\u202e"})");
  EXPECT_EQ(audit({"events"}),
            "2024-01-01T00:00:00.000Z [1] start: {\"cause\":\"start\"}\n"
            "2024-01-01T00:00:00.000Z [4] login_denied: {\"user\":\"a\\\\u001b[2J\\u{202e}\"}\n");
}

TEST_F(AuditEvents, kind_and_stretch_choose) {
  happen("start", "{}");
  happen("stop", "{}");
  EXPECT_EQ(audit({"events", "--event", "stop", "--json"}),
            R"({"number":2,"time":"2024-01-01T00:00:00.000Z","event":"stop","detail":{}})"
            "\n");
  EXPECT_EQ(audit({"events", "--until", "2024-01-01T00:00:00Z"}), "");
  EXPECT_THAT(
      audit({"events", "--since", "2024-01-02T00:00:00Z", "--until", "2024-01-01T00:00:00Z"}),
      HasSubstr("error: --until must be later than --since"));
}

TEST_F(AuditEvents, record_that_is_none_of_the_plugin_is_passed_over) {
  append("no JSON");
  append(R"({"type":"event"})");
  EXPECT_EQ(audit({"events"}), "2024-01-01T00:00:00.000Z [2] : null\n");
}

}  // namespace
}  // namespace helios::cli
