// SPDX-License-Identifier: Apache-2.0
// `heliosproxy audit why`: what is known about one request, and why the rest is not.

#include "unit/cli/audit_fixture.hpp"

#include <gmock/gmock.h>

#include <string>

namespace helios::cli {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class AuditWhy : public AuditCommand {
 protected:
  void refuse(int number, const std::string& plugin = "rate-limit",
              std::string_view decided_by = "verdict") {
    admin::RefusalStatus refusal;
    refusal.number = refusals_.refusals.size() + 1;
    refusal.time_ms = clock.wall_ms();
    refusal.request_id = id(number);
    refusal.plugin = plugin;
    refusal.reason = "too many";
    refusal.sqlstate = "53400";
    refusal.hint = "wait\x1b";
    refusal.user = "app";
    refusal.decided_by = decided_by;
    refusals_.refusals.push_back(refusal);
    refusals_.last_number = refusal.number;
    admin.control.refusal_page = refusals_;
  }

  admin::RefusalPage refusals_;
};

TEST_F(AuditWhy, everything_about_a_statement_stands_there) {
  run(1);
  intend(7, "SELECT $1\n  FROM t");
  end(7);
  settle(7);
  run(8);
  EXPECT_EQ(audit({"why", id(7)}), "request      " + id(7) +
                                       R"(
began        2024-01-01T00:00:00.000Z, record 4
asked by     user app, database shop, tenant acme, agent -, application psql, client 127.0.0.1
session      s1
fingerprint  00000000000000ff
statement    18 bytes, SHA-256 bb
    SELECT $1
      FROM t
$1           type 23, text, 2 bytes: 42
$2           NULL
outcome      executed, 1 rows, 1.204 ms, at 2024-01-01T00:00:00.000Z, record 5
tag          SELECT 1
settlement   committed, at 2024-01-01T00:00:00.000Z, record 6
)");
}

TEST_F(AuditWhy, decision_of_a_refusal_is_shown_with_it) {
  intend(7), end(7, "refused", "53400", R"(,"error":"too many")"), settle(7, "rolled back");
  EXPECT_THAT(audit({"why", id(7)}),
              EndsWith("not known    who refused it and why, beyond the error: the proxy keeps no "
                       "refusal of this request, and all of before its start\n"));
  refuse(6);
  refuse(7);
  EXPECT_THAT(audit({"why", id(7)}),
              AllOf(HasSubstr("decision     refused (53400) by rate-limit (verdict), at 2024-"),
                    HasSubstr("reason       too many\n"), HasSubstr("hint         wait\\x1b\n"),
                    Not(HasSubstr("not known"))));
}

TEST_F(AuditWhy, what_the_trail_does_not_have_is_named) {
  intend(1);
  EXPECT_THAT(audit({"why", id(1)}), HasSubstr("its outcome: the trail has none up to record 1"));
  end(1, "unknown");
  EXPECT_THAT(audit({"why", id(1)}),
              AllOf(HasSubstr("its settlement: the trail has none up to record 2"),
                    HasSubstr("whether it ran: it may have")));
  advance_ms(2000);
  settle(1, "unknown");
  EXPECT_THAT(audit({"why", id(1), "--since", "1s"}),
              AllOf(HasSubstr("the trail has no intent since 2024-01-01T00:00:01.000Z; --since"),
                    HasSubstr("whether it lasted")));
}

TEST_F(AuditWhy, refusal_without_a_record_in_the_trail_is_explained) {
  refuse(3, "proxy", "rule");
  EXPECT_THAT(audit({"why", id(3)}),
              AllOf(HasSubstr("by proxy (rule)"), HasSubstr("of           user app, "),
                    HasSubstr("there is no trail here")));
  run(1);
  EXPECT_THAT(audit({"why", id(3)}), HasSubstr("may reach no hook, and leaves no record then"));
}

TEST_F(AuditWhy, request_is_looked_for_from_the_end_and_no_further_than_said) {
  run(1);
  for (int n = 100; n < 3'600; ++n) run(n);
  asked = 0;
  EXPECT_THAT(audit({"why", id(3'590)}), HasSubstr("settlement   committed"));
  EXPECT_LE(asked, 4);
  EXPECT_THAT(audit({"why", id(1)}), HasSubstr("record 3\n"));
  advance_ms(2 * 86'400'000);
  run(2);
  EXPECT_THAT(audit({"why", id(1)}),
              AllOf(StartsWith("error: nothing is known of request " + id(1)),
                    HasSubstr("(3 were read; --since looks further back)")));
  EXPECT_THAT(audit({"why", id(1), "--since", "3d"}), HasSubstr("record 3\n"));
  EXPECT_THAT(audit({"why", id(5), "--since", "3d"}), HasSubstr("down to the oldest one"));
}

TEST_F(AuditWhy, what_is_no_request_id_is_refused_before_anything_is_read) {
  for (const std::string text : {"7", "00000000-0000-4000-8000-00000000000g", "' OR 1"})
    EXPECT_THAT(audit({"why", text}), HasSubstr("is no request id"));
  EXPECT_EQ(asked, 0);
  run(1);
  EXPECT_THAT(audit({"why", "00000000-0000-4000-8000-000000000001"}), StartsWith("request "));
}

}  // namespace
}  // namespace helios::cli
