// SPDX-License-Identifier: Apache-2.0
#include "base/byte_reader.hpp"
#include "pgwire/command_complete.hpp"
#include "pgwire/extended.hpp"
#include "session/session_impl.hpp"

#include <array>

// How the server reads a text: standard_conforming_strings and client_encoding. Since PostgreSQL 14 it
// reports a change of them only in front of ReadyForQuery. What was run in an open batch may have
// changed them unnoticed, so where a text depends on them, the server is asked, behind everything that was
// sent, with nothing sent after the question.

namespace helios::session {

namespace fe = pgwire::frontend;

namespace {

constexpr std::string_view kStrings = "standard_conforming_strings";
constexpr std::string_view kEncoding = "client_encoding";
constexpr std::array kAskedRules{kStrings, kEncoding};

}  // namespace

// False = an answer of the server has to come first.
bool Session::Impl::make_rules_certain() {
  if (!owed_.empty()) return false;
  // What is sent now is skipped up to the next Sync, however it reads.
  if (owed_.is_skipping()) {
    owed_.changes_are_known();
    return true;
  }
  ask_reading_rules();
  return false;
}

// Under the private name, which is free again afterwards. SHOW takes no snapshot. Where it fails, the
// transaction had failed before; the client is told so, as it would be of its own message.
void Session::Impl::ask_reading_rules() {
  for (const std::string_view rule : kAskedRules) {
    send_own(fe::kClose, pgwire::serialize_close_statement(private_name_));
    send_own(fe::kParse, pgwire::serialize_parse(private_name_, "SHOW " + std::string(rule)));
    send_own(fe::kBind, pgwire::serialize_bind(private_name_, private_name_, {}, {}));
    InFlight asking(fe::kExecute);
    asking.asks_reading_rule = true;
    send_own(std::move(asking), pgwire::serialize_execute(private_name_, 0));
    send_own(fe::kClose, pgwire::serialize_close_portal(private_name_));
  }
  send_own(fe::kClose, pgwire::serialize_close_statement(private_name_));
  asked_rules_ = 0;
  flush_sent_ = true;
  actions_->to_server.append(pgwire::serialize_flush());
}

// `row`: the body of the DataRow with one answer; they come in the order of the questions.
void Session::Impl::note_asked_rule(std::string_view row) {
  base::ByteReader reader(row);
  const std::int16_t head = reader.read_i16();
  const std::uint32_t length = reader.read_u32();
  constexpr std::size_t kHeadBytes = 6;
  const bool is_whole = head == 1 && row.size() == kHeadBytes + length;
  if (!is_whole || asked_rules_ == kAskedRules.size()) return fail_server();
  note_reading_rule(kAskedRules[asked_rules_++], row.substr(kHeadBytes));
  if (asked_rules_ == kAskedRules.size()) owed_.changes_are_known();
}

bool Session::Impl::note_reading_rule(std::string_view name, std::string_view value) {
  if (name == kStrings) {
    rules_.standard_conforming_strings = value == "on";
  } else if (name == kEncoding) {
    rules_.encoding_is_ascii_safe = sql::is_ascii_safe_encoding(value);
  } else {
    return false;
  }
  return true;
}

// What the server reports about settings that decide how it reads a text, or that plugins see.
void Session::Impl::note_parameter(std::string_view body) {
  const auto parameter = pgwire::parse_parameter_status(body);
  if (!parameter || note_reading_rule(parameter->name, parameter->value)) return;
  if (parameter->name == "application_name") {
    identity_.set_application_name(parameter->value);
  }
}

}  // namespace helios::session
