// SPDX-License-Identifier: Apache-2.0

// What a hook of ABI 2 can ask about its statement, and the notes that it leaves.

#include "abi2_fixture.hpp"
#include "helios_abi2.h"

#include <gmock/gmock.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

namespace helios::plugins {
namespace {

using hooks::HookPoint;
using Status = hooks::CallResult::Status;

TEST_F(Abi2Test, bytes_fields_say_who_runs_what) {
  EXPECT_EQ(field(HELIOS_TEXT, HookPoint::pre_query), "SELECT 'x'");
  EXPECT_EQ(field(HELIOS_USER, HookPoint::pre_query), "alice");
  EXPECT_EQ(field(HELIOS_DATABASE, HookPoint::pre_query), "demo");
  EXPECT_EQ(field(HELIOS_CLIENT_ADDRESS, HookPoint::pre_query), "127.0.0.1");
  EXPECT_EQ(field(HELIOS_TENANT, HookPoint::pre_query), "acme");
  EXPECT_EQ(field(HELIOS_REQUEST_ID, HookPoint::pre_query).size(), 36U);
  EXPECT_EQ(field(HELIOS_COMMAND_TAG, HookPoint::pre_query), "-1");
  EXPECT_EQ(field(HELIOS_TEXT, HookPoint::settled), "-1");
  EXPECT_EQ(field(0, HookPoint::pre_query), "-5");
  EXPECT_EQ(field(HELIOS_ROWS, HookPoint::pre_query), "-5");
}

TEST_F(Abi2Test, rewritten_text_and_the_original_are_both_there) {
  prepare = [](hooks::StatementExecution& it) { it.rewritten = "SELECT 'y'"; };
  EXPECT_EQ(field(HELIOS_TEXT, HookPoint::pre_query), "SELECT 'y'");
  EXPECT_EQ(field(HELIOS_ORIGINAL_TEXT, HookPoint::pre_query), "SELECT 'x'");
}

TEST_F(Abi2Test, outcome_and_settlement_are_there_when_they_are_known) {
  prepare = [](hooks::StatementExecution& it) {
    it.outcome = hooks::Outcome::failed;
    it.sqlstate = "23505";
    it.rows = 7;
    it.duration_ns = 12345;
    it.settlement = hooks::Settlement::rolled_back;
  };
  EXPECT_EQ(number(HELIOS_OUTCOME, HookPoint::pre_query), "-1");
  EXPECT_EQ(number(HELIOS_OUTCOME, HookPoint::post_query), std::to_string(HELIOS_OUTCOME_FAILED));
  EXPECT_EQ(number(HELIOS_ROWS, HookPoint::post_query), "7");
  EXPECT_EQ(number(HELIOS_DURATION_NS, HookPoint::post_query), "12345");
  EXPECT_EQ(field(HELIOS_SQLSTATE, HookPoint::post_query), "23505");
  EXPECT_EQ(number(HELIOS_SETTLEMENT, HookPoint::pre_query), "-1");
  EXPECT_EQ(number(HELIOS_SETTLEMENT, HookPoint::post_query),
            std::to_string(HELIOS_SETTLED_ROLLED_BACK));
  EXPECT_EQ(number(HELIOS_SETTLEMENT, HookPoint::settled),
            std::to_string(HELIOS_SETTLED_ROLLED_BACK));
  EXPECT_EQ(number(HELIOS_TEXT, HookPoint::post_query), "-5");
}

TEST_F(Abi2Test, settled_can_be_skipped_once_the_settlement_is_known) {
  const std::string skips = "(call $skip_settled)";
  EXPECT_EQ(number(HELIOS_SETTLEMENT, HookPoint::post_query), "-1");
  EXPECT_EQ(run_field(expecting(0, skips), HookPoint::post_query), "-3");
  prepare = [](hooks::StatementExecution& it) { it.settlement = hooks::Settlement::committed; };
  EXPECT_EQ(run_field(expecting(0, skips), HookPoint::pre_query), "-5");
  EXPECT_EQ(run_field(expecting(0, skips), HookPoint::settled), "-5");
  EXPECT_EQ(run_field(expecting(0, skips), HookPoint::post_query), "");
  EXPECT_TRUE(run(HookPoint::post_query).skips_settled);
}

TEST_F(Abi2Test, rewrites_are_counted) {
  EXPECT_EQ(number(HELIOS_REWRITES, HookPoint::pre_query), "0");
  prepare = [](hooks::StatementExecution& it) { it.rewrites = 2; };
  EXPECT_EQ(number(HELIOS_REWRITES, HookPoint::post_query), "2");
}

TEST_F(Abi2Test, what_manages_the_session_says_so) {
  EXPECT_EQ(number(HELIOS_MANAGES_SESSION, HookPoint::pre_query), "0");
  prepare = [](hooks::StatementExecution& it) { it.manages_session = true; };
  EXPECT_EQ(number(HELIOS_MANAGES_SESSION, HookPoint::pre_query), "1");
  EXPECT_EQ(number(HELIOS_MANAGES_SESSION, HookPoint::post_query), "1");
}

TEST_F(Abi2Test, tenant_that_nobody_knows_ends_the_hook_that_asks_for_it) {
  prepare = [](hooks::StatementExecution& it) { it.is_tenant_unknown = true; };
  EXPECT_EQ(field(HELIOS_USER, HookPoint::pre_query), "alice");
  EXPECT_FALSE(chain_->looks_at_tenant());
  for (const std::string& question :
       {std::string("(call $field (i32.const 7) (i32.const 1024) (i32.const 64))"),
        std::string("(call $field_length (i32.const 7))")}) {
    for (const HookPoint point : {HookPoint::pre_query, HookPoint::post_query}) {
      EXPECT_THAT(run_field("(drop " + question + ")", point),
                  testing::HasSubstr("the tenant, which is unknown"));
      EXPECT_TRUE(chain_->looks_at_tenant());
    }
  }
}

TEST_F(Abi2Test, plugin_is_known_to_look_at_tenants_when_it_has_done_so) {
  EXPECT_EQ(field(HELIOS_USER, HookPoint::pre_query), "alice");
  EXPECT_FALSE(chain_->looks_at_tenant());
  EXPECT_EQ(field(HELIOS_TENANT, HookPoint::pre_query), "acme");
  EXPECT_TRUE(chain_->looks_at_tenant());
}

TEST_F(Abi2Test, text_of_an_execute_is_there_while_the_text_is) {
  EXPECT_EQ(field(HELIOS_EXECUTE_TEXT, HookPoint::pre_query), "-1");
  prepare = [](hooks::StatementExecution& it) { it.execute_text = "EXECUTE p(1)"; };
  EXPECT_EQ(field(HELIOS_EXECUTE_TEXT, HookPoint::pre_query), "EXECUTE p(1)");
  EXPECT_EQ(field(HELIOS_EXECUTE_TEXT, HookPoint::settled), "-1");
}

// Hides every x; counts how often it was asked.
int redactions = 0;
bool hide_x(const std::function<bool()>& go_on, std::string_view text, bool conforming,
            std::optional<std::string>& out) {
  ++redactions;
  if (!go_on()) return false;
  EXPECT_TRUE(conforming);
  std::string left;
  for (const char byte : text) left += byte == 'x' ? std::string("***") : std::string(1, byte);
  if (left != text) out = left;
  return true;
}

// Both are asked for in one hook, the first one twice.
std::string two_redacted_fields() {
  const auto copy = [](int field, const std::string& to) {
    return "(local.set $code (call $field (i32.const " + std::to_string(field) + ") " + to +
           " (i32.const 256))) ";
  };
  return copy(HELIOS_REDACTED_TEXT, "(i32.const 2048)") +
         copy(HELIOS_REDACTED_TEXT, "(i32.const 1024)") +
         copy(HELIOS_REDACTED_EXECUTE_TEXT, "(i32.add (i32.const 1024) (local.get $code))") +
         store("(i32.const 25)");
}

TEST_F(Abi2Test, texts_without_secrets_are_worked_out_once) {
  prepare = [](hooks::StatementExecution& it) {
    it.execute_text = "EXECUTE p(x)";
    it.redact_text = hide_x;
  };
  redactions = 0;
  EXPECT_EQ(run_field(two_redacted_fields(), HookPoint::pre_query),
            "SELECT '***'"
            "EXECUTE p(***");  // 25 bytes
  EXPECT_EQ(redactions, 2);
  EXPECT_EQ(number(HELIOS_IS_REDACTED, HookPoint::pre_query), "1");
  EXPECT_EQ(number(HELIOS_IS_REDACTED, HookPoint::settled), "-1");
  EXPECT_EQ(field(HELIOS_REDACTED_TEXT, HookPoint::settled), "-1");
  EXPECT_EQ(field(HELIOS_TEXT, HookPoint::pre_query), "SELECT 'x'");
}

TEST_F(Abi2Test, text_without_secrets_is_the_text_itself_where_there_are_none) {
  prepare = [](hooks::StatementExecution& it) {
    it.text = "SELECT 'y'";
    it.redact_text = hide_x;
  };
  EXPECT_EQ(field(HELIOS_REDACTED_TEXT, HookPoint::post_query), "SELECT 'y'");
  EXPECT_EQ(field(HELIOS_REDACTED_EXECUTE_TEXT, HookPoint::post_query), "-1");
  EXPECT_EQ(number(HELIOS_IS_REDACTED, HookPoint::post_query), "0");
}

TEST_F(Abi2Test, text_without_secrets_is_that_of_the_text_as_it_is_now) {
  prepare = [](hooks::StatementExecution& it) {
    it.rewritten = "SELECT 'xy'";
    it.redact_text = hide_x;
    it.redacted = std::make_shared<hooks::RedactedTexts>();
    it.redacted->original = {.is_known = true, .of = "", .text = "before"};
    it.redacted->rewritten = {.is_known = true, .of = "SELECT 'xz'", .text = "SELECT '***z'"};
  };
  EXPECT_EQ(field(HELIOS_REDACTED_TEXT, HookPoint::pre_query), "SELECT '***y'");
}

TEST_F(Abi2Test, all_is_hidden_of_a_text_that_nobody_can_read) {
  EXPECT_EQ(field(HELIOS_REDACTED_TEXT, HookPoint::pre_query), "***");
  EXPECT_EQ(number(HELIOS_IS_REDACTED, HookPoint::pre_query), "1");
}

TEST_F(Abi2Test, text_that_takes_too_long_to_redact_ends_the_hook) {
  prepare = [](hooks::StatementExecution& it) {
    it.redact_text = [](const std::function<bool()>& go_on, std::string_view, bool,
                        std::optional<std::string>&) {
      while (go_on()) std::this_thread::yield();
      return false;
    };
  };
  inline_ticks_ = 2;  // and then the slow lane, for as long as a plugin may take
  add(hook("pre_query", "(drop (call $field_length (i32.const 13)))"));
  prepare(statement_->execution());
  const auto result = run(HookPoint::pre_query);
  EXPECT_EQ(result.status, Status::failed);
  EXPECT_THAT(result.failure, testing::HasSubstr("timeout"));
}

TEST_F(Abi2Test, message_of_an_error_comes_without_secrets_too) {
  prepare = [](hooks::StatementExecution& it) {
    it.error_message = "it says x";
    it.redact_message = [](std::string_view message) -> std::optional<std::string> {
      return message == "it says x" ? std::optional<std::string>("it says ***") : std::nullopt;
    };
  };
  EXPECT_EQ(field(HELIOS_REDACTED_ERROR_MESSAGE, HookPoint::post_query), "it says ***");
  EXPECT_EQ(field(HELIOS_REDACTED_ERROR_MESSAGE, HookPoint::pre_query), "-1");
  prepare = [](hooks::StatementExecution& it) { it.error_message = "it says x"; };
  EXPECT_EQ(field(HELIOS_REDACTED_ERROR_MESSAGE, HookPoint::settled), "***");
}

TEST_F(Abi2Test, fingerprint_is_that_of_the_clients_text) {
  EXPECT_EQ(number(HELIOS_FINGERPRINT, HookPoint::pre_query), "-1");
  prepare = [](hooks::StatementExecution& it) {
    it.rewritten = "SELECT 'y'";
    it.fingerprint_of = [](std::string_view text, bool) -> std::optional<std::uint64_t> {
      return text == "SELECT 'x'" ? 77 : 0;
    };
  };
  EXPECT_EQ(number(HELIOS_FINGERPRINT, HookPoint::pre_query), "77");
  EXPECT_EQ(number(HELIOS_FINGERPRINT, HookPoint::post_query), "77");
  EXPECT_EQ(number(HELIOS_FINGERPRINT, HookPoint::settled), "-1");
  prepare = [](hooks::StatementExecution& it) {
    it.fingerprint_of = [](std::string_view, bool) -> std::optional<std::uint64_t> { return {}; };
  };
  EXPECT_EQ(number(HELIOS_FINGERPRINT, HookPoint::pre_query), "-1");
}

TEST_F(Abi2Test, outcome_that_nobody_knows_has_its_number) {
  prepare = [](hooks::StatementExecution& it) { it.outcome = hooks::Outcome::unknown; };
  EXPECT_EQ(number(HELIOS_OUTCOME, HookPoint::post_query), std::to_string(HELIOS_OUTCOME_UNKNOWN));
}

TEST_F(Abi2Test, parameters_come_as_the_client_bound_them) {
  prepare = [](hooks::StatementExecution& it) {
    it.origin = hooks::Origin::execute;
    it.parameters = {{.type_oid = 25, .is_binary = false, .value = "hello"},
                     {.type_oid = 23, .is_binary = true, .value = std::nullopt}};
  };
  const auto parameter = [&](int index) {
    return run_field("(local.set $code (call $parameter (i32.const " + std::to_string(index) +
                         ") (i32.const 1024) (i32.const 64))) (if (i32.lt_s (local.get $code) "
                         "(i32.const 0)) (then (return (local.get $code)))) " +
                         store("(local.get $code)"),
                     HookPoint::pre_query);
  };
  EXPECT_EQ(parameter(0), "hello");
  EXPECT_EQ(parameter(1), std::to_string(HELIOS_UNMET));
  EXPECT_EQ(parameter(2), std::to_string(HELIOS_MISSING));
  EXPECT_EQ(number(HELIOS_PARAMETER_COUNT, HookPoint::pre_query), "2");
  EXPECT_EQ(number(HELIOS_ORIGIN, HookPoint::pre_query), std::to_string(HELIOS_ORIGIN_EXECUTE));
  const auto kind =
      run_field(expecting(0, "(call $parameter_kind (i32.const 1) (i32.const 1024))") +
                    store("(i32.const 12)"),
                HookPoint::pre_query);
  EXPECT_EQ(kind, std::string("\x17\0\0\0\x01\0\0\0\xff\xff\xff\xff", 12));
}

// What import `call` writes to 1024: as many bytes as it returns.
std::string what_it_writes(const std::string& call) {
  return "(local.set $code " + call +
         ") (if (i32.lt_s (local.get $code) (i32.const 0)) (then (return (local.get $code)))) " +
         store("(local.get $code)");
}

TEST_F(Abi2Test, parts_of_a_field_come_as_far_as_there_is_room) {
  const auto part = [&](int field, int from, int room) {
    return run_field(what_it_writes("(call $field_part (i32.const " + std::to_string(field) +
                                    ") (i32.const " + std::to_string(from) +
                                    ") (i32.const 1024) (i32.const " + std::to_string(room) + "))"),
                     HookPoint::pre_query);
  };
  EXPECT_EQ(part(HELIOS_TEXT, 0, 6), "SELECT");
  EXPECT_EQ(part(HELIOS_TEXT, 7, 64), "'x'");
  EXPECT_EQ(part(HELIOS_TEXT, 10, 64), "");
  EXPECT_EQ(part(HELIOS_TEXT, -1, 64), "");
  EXPECT_EQ(part(HELIOS_COMMAND_TAG, 0, 64), "-1");
  EXPECT_EQ(part(0, 0, 64), "-5");
}

TEST_F(Abi2Test, digest_of_a_field_needs_no_copy_of_it) {
  const auto digest = [&](int field) {
    return run_field(what_it_writes("(call $field_sha256_hex (i32.const " + std::to_string(field) +
                                    ") (i32.const 1024))"),
                     HookPoint::pre_query);
  };
  EXPECT_EQ(digest(HELIOS_TEXT),
            "b254ae3d04bb988291941d5b8b770a3fb7b90ce1f9742e2624d00c7ce3a140b9");
  EXPECT_EQ(digest(HELIOS_SQLSTATE), "-1");
  EXPECT_EQ(digest(HELIOS_ROWS), "-5");
}

TEST_F(Abi2Test, parts_and_digests_of_parameters) {
  prepare = [](hooks::StatementExecution& it) {
    it.origin = hooks::Origin::execute;
    it.parameters = {{.type_oid = 25, .is_binary = false, .value = "hello"},
                     {.type_oid = 23, .is_binary = true, .value = std::nullopt}};
  };
  const auto ask = [&](const std::string& import, int index, const std::string& rest) {
    return run_field(what_it_writes("(call $" + import + " (i32.const " + std::to_string(index) +
                                    ") " + rest + ")"),
                     HookPoint::pre_query);
  };
  EXPECT_EQ(ask("parameter_part", 0, "(i32.const 1) (i32.const 1024) (i32.const 3)"), "ell");
  EXPECT_EQ(ask("parameter_part", 1, "(i32.const 0) (i32.const 1024) (i32.const 3)"), "-3");
  EXPECT_EQ(ask("parameter_part", 2, "(i32.const 0) (i32.const 1024) (i32.const 3)"), "-1");
  EXPECT_EQ(ask("parameter_sha256_hex", 0, "(i32.const 1024)"),
            "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
  // RFC 2104 with a key of 32 times 0x0b.
  EXPECT_EQ(ask("parameter_hmac_hex", 0, "(i32.const 1024)"),
            "7ea37d205ced9b21b2f3eb6836fb773100da5dd3ba84900fb712826ef6b20fef");
  EXPECT_EQ(ask("parameter_hmac_hex", 1, "(i32.const 1024)"), "-3");
  EXPECT_EQ(ask("parameter_hmac_hex", 2, "(i32.const 1024)"), "-1");
  EXPECT_EQ(ask("parameter_sha256_hex", 1, "(i32.const 1024)"), "-3");
  EXPECT_EQ(ask("parameter_sha256_hex", 2, "(i32.const 1024)"), "-1");
}

TEST_F(Abi2Test, buffer_that_is_too_small_is_not_written) {
  const auto result =
      pre_query(expecting(-2, "(call $field (i32.const 3) (i32.const 1024) (i32.const 4))") +
                expecting(5, "(call $field_length (i32.const 3))") +
                expecting(0, "(i32.load (i32.const 1024))"));
  EXPECT_EQ(result.status, Status::ok) << result.failure;
}

TEST_F(Abi2Test, manifest_configuration_is_an_attribute) {
  add(hook("pre_query", expecting(2,
                                  "(call $attribute (i32.const 32) (i32.const 13) "
                                  "(i32.const 1024) (i32.const 8))") +
                            store("(i32.const 2)")),
      "[config]\nregion = \"eu\"");
  EXPECT_EQ(run(HookPoint::pre_query).status, Status::ok);
  EXPECT_EQ(value("p", "key"), "eu");
}

TEST_F(Abi2Test, scratch_travels_from_pre_query_to_the_later_hooks) {
  const std::string read =
      expecting(8, "(call $scratch_get (i32.const 1024) (i32.const 256))") + store("(i32.const 8)");
  add(hook("pre_query", expecting(0, "(call $scratch_set (i32.const 80) (i32.const 8))") +
                            expecting(8, "(call $scratch_get (i32.const 1024) (i32.const 8))") +
                            expecting(-4, "(call $scratch_set (i32.const 80) (i32.const 257))")) +
      hook("post_query", read + expecting(-5, "(call $scratch_set (i32.const 80) (i32.const 8))")) +
      hook("settled", read));
  EXPECT_EQ(run(HookPoint::pre_query).status, Status::ok);
  for (const HookPoint point : {HookPoint::post_query, HookPoint::settled}) {
    const auto result = run(point);
    EXPECT_EQ(result.status, Status::ok) << result.failure;
    EXPECT_EQ(value("p", "key"), "SELECT 2");
    remove("p", "key");
  }
}

}  // namespace
}  // namespace helios::plugins
