// SPDX-License-Identifier: Apache-2.0
//
// helios.kv() on its way through a session. What reaches the server reads as before, but without a
// call: as many statements, those that had none byte for byte. What cannot be rewritten is refused,
// and nothing reaches the server. Stored bytes, whatever they are, do not get out of their constant.
// Input: a byte (bit 0: standard_conforming_strings off), a line that is stored as a value, then a
// query text, see support/sql_text.hpp.

#include "fuzz/support/fuzz.hpp"
#include "fuzz/support/sql_text.hpp"
#include "kv/transaction.hpp"
#include "unit/session/session_harness.hpp"

#include <algorithm>

namespace helios::fuzz {
namespace {

using namespace session::test;

constexpr std::uint64_t kMaxBytes = 4096;

void put(kv::Store& store, std::string_view space, std::string_view key, std::string_view value) {
  kv::Transaction transaction(store, **store.open(space));
  (void)transaction.set(key, value);
  (void)transaction.commit({});
}

Options options() {
  Options options;
  options.config.kv_sql.readers = {"ann"};
  options.config.kv_sql.max_bytes = kMaxBytes;
  return options;
}

class Proxy {
 public:
  Proxy(bool conforming, std::string_view value) : harness_(options()) {
    harness_.connect();
    if (!conforming) {
      harness_.server_sends(parameter("standard_conforming_strings", "off"));
      (void)harness_.take_to_client();
    }
    using namespace std::string_view_literals;
    put(harness_.store, "p", "k", value);
    put(harness_.store, "p", "counter", "\1\0\0\0\0\0\0\0"sv);
    put(harness_.store, "p", "it's \\", "\xFF\\' ; select"sv);
    put(harness_.store, "counter", "k", "1");
  }

  // The Query that the server gets; nullopt = the client was refused.
  std::optional<std::string> forwarded(std::string_view text) {
    harness_.client_sends(query(text));
    const std::string bytes = harness_.take_to_server();
    const std::string answer = harness_.take_to_client();
    if (!bytes.empty()) {
      require(answer.empty(), "no answer before the server's");
      require(bytes == query(bytes.substr(5, bytes.size() - 6)), "one Query");
      return bytes.substr(5, bytes.size() - 6);
    }
    require(answer.starts_with('E') && answer.ends_with(ready('I')), "an error and ReadyForQuery");
    return std::nullopt;
  }

 private:
  SessionHarness harness_;
};

bool is_too_deep(const sql::Analysis& analysis) {
  return analysis.error == "stack depth limit exceeded";
}

std::string_view text_of(const sql::Statement& statement, std::string_view text) {
  return text.substr(statement.begin, statement.end - statement.begin);
}

void check_rewritten(const sql::Analysis& before, std::string_view text, std::string_view rewritten,
                     sql::ReadingRules rules) {
  const auto after = sql::parse(rewritten, rules);
  if (is_too_deep(*after)) return;
  require(after->parsed, "the grammar reads it: " + std::string(rewritten));
  require(!after->has_kv_calls, "no call is left: " + std::string(rewritten));
  require(after->statements.size() == before.statements.size(),
          "as many statements: " + std::string(rewritten));
  for (std::size_t i = 0; i < before.statements.size(); ++i) {
    const sql::Statement& old = before.statements[i];
    const sql::Statement& now = after->statements[i];
    if (old.kv_calls.empty()) {
      require_equal(text_of(now, rewritten), text_of(old, text), "a statement without a call");
    }
    require(now.is_read_only == old.is_read_only && now.transaction == old.transaction &&
                now.is_session_statement == old.is_session_statement,
            "the same kind of statement: " + std::string(rewritten));
  }
}

bool has_problem(const sql::Statement& statement) {
  return std::ranges::any_of(statement.kv_calls,
                             [](const sql::KvCall& call) { return !call.problem.empty(); });
}

}  // namespace
}  // namespace helios::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace helios;
  using namespace helios::fuzz;
  abort_on_failed_expectations();
  Input input(fuzz::text_of(data, size));
  const sql::ReadingRules rules{.standard_conforming_strings = (input.take_byte() & 1) == 0};
  Proxy proxy(rules.standard_conforming_strings, input.take_line());
  const std::string text = sql_text(input.rest());
  const auto before = sql::parse(text, rules);
  const auto forwarded = proxy.forwarded(text);
  if (!before->has_kv_calls) {
    require(forwarded.has_value(), "nothing to refuse");
    require_equal(*forwarded, text, "a text without a call passes as it is");
  } else if (forwarded) {
    require(std::ranges::none_of(before->statements, has_problem), "problems are refused");
    check_rewritten(*before, text, *forwarded, rules);
  }
  return 0;
}
