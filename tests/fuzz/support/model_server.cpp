// SPDX-License-Identifier: Apache-2.0
#include "fuzz/support/model_server.hpp"

#include "base/byte_writer.hpp"
#include "fuzz/support/session_script.hpp"
#include "pgwire/extended.hpp"
#include "pgwire/message_types.hpp"
#include "pgwire/query.hpp"
#include "pgwire/row_messages.hpp"
#include "sql/analyzer.hpp"
#include "unit/session/session_harness.hpp"

#include <optional>

namespace helios::fuzz {
namespace {

namespace fe = pgwire::frontend;
using namespace session::test;
using Op = sql::TransactionOp;

bool is_copy_from_stdin(std::string_view text) {
  return text.starts_with("copy") && text.ends_with("stdin");
}

std::string unexpected_in_copy(char type) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(type);
  return std::string("unexpected message type 0x") + kDigits[byte / 16] + kDigits[byte % 16] +
         " during COPY from stdin";
}

}  // namespace

std::string ModelServer::feed(std::string_view messages) {
  while (!messages.empty() && !is_over_) {
    require(messages.size() >= 5, "whole messages");
    const auto length = static_cast<std::size_t>(base::load_i32(messages.data() + 1)) + 1;
    require(messages.size() >= length, "whole messages");
    const std::string_view body = messages.substr(5, length - 5);
    if (is_copying_) {
      handle_in_copy(messages[0], body);
    } else {
      handle(messages[0], body);
    }
    messages.remove_prefix(length);
  }
  return std::exchange(out_, {});
}

void ModelServer::fail_transaction() {
  if (status_ == 'T') status_ = 'E';
}

void ModelServer::fail(std::string_view sqlstate, std::string_view what) {
  out_ += error(sqlstate, std::string(kServerError) + std::string(what));
  fail_transaction();
}

void ModelServer::handle(char type, std::string_view body) {
  if (type == fe::kTerminate) {
    is_over_ = true;
  } else if (type == fe::kSync) {
    is_skipping_ = false;
    finish_unit();
  } else if (is_skipping_) {
    return;
  } else if (type == fe::kQuery) {
    const auto text = pgwire::parse_query(body);
    require(text.has_value(), "a Query with its text");
    handle_query(*text);
  } else if (type == fe::kFunctionCall) {
    fail(status_ == 'E' ? "25P02" : "42883", "no such function");
    finish_unit();
  } else if (type == fe::kParse || type == fe::kBind || type == fe::kDescribe ||
             type == fe::kExecute || type == fe::kClose) {
    const std::size_t before = out_.size();
    handle_extended(type, body);
    is_skipping_ = std::string_view(out_).substr(before).starts_with('E');
  } else if (type == fe::kFlush && !body.empty()) {
    fail("08P01", "invalid message format");
    is_skipping_ = true;
  } else {
    const bool has_no_answer = type == fe::kFlush || type == fe::kCopyData ||
                               type == fe::kCopyDone || type == fe::kCopyFail;
    require(has_no_answer, "no message that hooks do not see");
  }
}

void ModelServer::handle_extended(char type, std::string_view body) {
  switch (type) {
    case fe::kParse: parse(body); return;
    case fe::kBind: bind(body); return;
    case fe::kExecute: execute(body); return;
    case fe::kClose:
    case fe::kDescribe: break;
    default: return;
  }
  const auto target = pgwire::parse_target(body);
  if (!target) return fail("08P01", "invalid message");
  if (type == fe::kDescribe) {
    out_ += message('n', "");
    return;
  }
  if (target->is_portal) {
    portals_.erase(std::string(target->name));
  } else {
    statements_.erase(std::string(target->name));
  }
  out_ += message('3', "");
}

void ModelServer::parse(std::string_view body) {
  const auto view = pgwire::parse_parse(body);
  if (!view) return fail("08P01", "invalid message");
  const auto analysis = sql::parse(view->text, {});
  if (!analysis->parsed || analysis->statements.size() > 1) return fail("42601", "syntax error");
  statements_[std::string(view->statement)] = view->text;
  out_ += message('1', "");
}

void ModelServer::bind(std::string_view body) {
  const auto view = pgwire::parse_bind(body);
  if (!view) return fail("08P01", "invalid message");
  const auto statement = statements_.find(view->statement);
  if (statement == statements_.end()) return fail("26000", "no such statement");
  portals_[std::string(view->portal)] = {.text = statement->second};
  out_ += message('2', "");
}

void ModelServer::execute(std::string_view body) {
  const auto view = pgwire::parse_execute(body);
  if (!view) return fail("08P01", "invalid message");
  const auto portal = portals_.find(view->portal);
  if (portal == portals_.end()) return fail("34000", "no such portal");
  if (std::exchange(portal->second.is_done, true)) {
    out_ += complete("SELECT 0");
    return;
  }
  const auto analysis = sql::parse(portal->second.text, {});
  if (analysis->statements.empty()) {
    out_ += message('I', "");
    return;
  }
  const sql::Statement& statement = analysis->statements[0];
  run_statement(portal->second.text.substr(statement.begin, statement.end - statement.begin));
}

std::string ModelServer::text_of(std::string_view portal) const {
  const auto found = portals_.find(portal);
  const bool runs = found != portals_.end() && !found->second.is_done && !is_skipping_;
  return runs ? found->second.text : std::string();
}

void ModelServer::finish_unit() {
  if (status_ == 'I') portals_.clear();
  out_ += ready(status_);
}

// The server reads data: Flush and Sync are swallowed, what has no place here ends the session.
void ModelServer::handle_in_copy(char type, std::string_view body) {
  switch (type) {
    case fe::kCopyData:
    case fe::kFlush:
    case fe::kSync: return;
    case fe::kCopyDone:
      is_copying_ = false;
      out_ += complete("COPY 1");
      if (is_in_query_) run_statements();
      return;
    case fe::kCopyFail:
      is_copying_ = false;
      // The client's reason, by which whoever has broken it knows it again.
      fail("57014", "COPY from stdin failed: " + std::string(body.substr(0, body.find('\0'))));
      to_run_.clear();
      is_skipping_ = !is_in_query_;
      if (is_in_query_) finish_query();
      return;
    default:
      out_ += error("08P01", unexpected_in_copy(type), "ERROR") +
              error("08P01", "terminating connection because protocol synchronization was lost",
                    "FATAL");
      is_over_ = true;
  }
}

void ModelServer::handle_query(std::string_view text) {
  is_in_query_ = true;
  statements_.erase("");
  portals_.erase("");
  const auto analysis = sql::parse(text, {});
  if (!analysis->parsed) {
    fail("42601", "syntax error");
    finish_query();
    return;
  }
  if (analysis->statements.empty()) out_ += message('I', "");
  for (const sql::Statement& statement : analysis->statements)
    to_run_.emplace_back(text.substr(statement.begin, statement.end - statement.begin));
  run_statements();
}

void ModelServer::run_statements() {
  while (!to_run_.empty() && !is_copying_) {
    const std::string text = std::move(to_run_.front());
    to_run_.pop_front();
    if (!run_statement(text)) to_run_.clear();
  }
  if (!is_copying_) finish_query();
}

// False = it failed.
bool ModelServer::run_statement(const std::string& text) {
  on_statement(text);
  const auto analysis = sql::parse(text, {});
  const Op op = analysis->statements.empty() ? Op::none : analysis->statements[0].transaction;
  const bool is_end = op == Op::commit || op == Op::rollback;
  if (status_ == 'E' && !is_end && op != Op::rollback_to) {
    fail("25P02", "current transaction is aborted");
    return false;
  }
  if (text.contains(kDivisionWord)) {
    fail("22012", "division by zero");
    return false;
  }
  if (is_copy_from_stdin(text)) {
    is_copying_ = true;
    out_ += server_message('G', {});
    return true;
  }
  std::string tag = "SELECT 1";
  if (op == Op::begin) {
    status_ = 'T';
    tag = "BEGIN";
  } else if (is_end) {
    tag = op == Op::commit && status_ != 'E' ? "COMMIT" : "ROLLBACK";
    status_ = analysis->statements[0].is_chained ? 'T' : 'I';
  } else if (op == Op::rollback_to) {
    if (status_ == 'E') status_ = 'T';
    tag = "ROLLBACK";
  }
  out_ += pgwire::serialize_data_row({text}) + complete(tag);
  return true;
}

void ModelServer::finish_query() {
  is_in_query_ = false;
  finish_unit();
}

}  // namespace helios::fuzz
