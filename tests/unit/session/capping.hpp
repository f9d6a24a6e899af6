// SPDX-License-Identifier: Apache-2.0
#pragma once

// A plugin that limits the answers of the texts that say so, with "rows=2" and "bytes=30" in them; and what a client is
// told then.

#include "base/byte_writer.hpp"
#include "extended_messages.hpp"
#include "session_harness.hpp"

#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

namespace helios::session::test {

inline std::optional<std::uint64_t> limit_in(std::string_view text, std::string_view word) {
  const std::size_t at = text.find(word);
  if (at == std::string_view::npos) return std::nullopt;
  return std::strtoull(std::string(text.substr(at + word.size())).c_str(), nullptr, 10);
}

// Also writes down what it sees, refuses "forbidden", and rewrites and answers where the text says "rewrite", "answer".
struct Capping : Witness {
  Capping() {
    plugin->pre_query = [this](hooks::Call& call) {
      const std::string text(call.statement->text);
      events.push_back("pre " + text);
      hooks::CallResult result;
      if (text.find("forbidden") != std::string::npos) result = block("no");
      if (text.find("rewrite") != std::string::npos) result = rewrite("select 'new'");
      if (text.find("answer") != std::string::npos) {
        result.verdict.action = hooks::Verdict::Action::answer;
        result.verdict.answer = std::make_shared<const hooks::Answer>(
            hooks::Answer{.columns = {{.name = "a"}}, .rows = {{"1"}, {"2"}, {"3"}}});
      }
      result.verdict.max_rows = limit_in(text, "rows=");
      result.verdict.max_bytes = limit_in(text, "bytes=");
      return result;
    };
    plugin->post_query = [this](hooks::Call& call) {
      const auto& statement = *call.statement;
      std::string event =
          "post " + std::string(statement.text) + " " + std::string(name_of(statement.outcome));
      if (!statement.sqlstate.empty()) event += " " + statement.sqlstate;
      if (statement.rows) event += " " + std::to_string(*statement.rows);
      events.push_back(event);
      return hooks::CallResult{};
    };
  }
};

// 11 bytes and the value.
inline std::string row(std::string_view value = "x") {
  std::string body("\0\1", 2);
  base::append_i32(body, static_cast<std::int32_t>(value.size()));
  return message('D', body.append(value));
}
inline std::string described() { return message('T', std::string(2, '\0')); }
inline std::string copy_data(std::string_view line) { return message('d', line); }

// What the client gets as the end of an answer that was cut.
inline std::string cut(std::string_view limit, std::string_view sent, bool is_completed = false) {
  const std::string detail =
      std::string(sent) + " were sent." +
      (is_completed ? " The statement was completed, and what it did is committed." : "") +
      "\nLimited by plugin \"p\".";
  return pgwire::serialize_error_response(
      pgwire::Severity::error, "54000", "the answer is limited to " + std::string(limit), 0,
      {.detail = detail,
       .hint = "Ask for less: with a LIMIT, a WHERE that fits fewer rows, or fewer columns."});
}

inline std::string cancelled_by_user() {
  return error("57014", "canceling statement due to user request");
}
inline std::string failing_query() { return query("answer cut by heliosproxy"); }

}  // namespace helios::session::test
