// SPDX-License-Identifier: Apache-2.0
//
// The JSON of ABI 1, both ways. An answer of a guest decodes to something the session can carry out,
// or is an error of one line; what the host writes for a guest is valid JSON that says the same.
// Input: an answer of a guest, which serves as a statement as well.

#include "base/text.hpp"
#include "fuzz/support/fuzz.hpp"
#include "plugins/abi/abi1_answer.hpp"
#include "plugins/abi/abi1_authentication.hpp"
#include "plugins/abi/abi1_input.hpp"
#include "plugins/abi/abi1_verdict.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace helios::fuzz {
namespace {

namespace json = boost::json;

void require_one_line(const base::Error& error) {
  require(!error.message.empty() && error.message.find('\n') == std::string::npos,
          "an error of one line: " + error.message);
}

void check_verdict(std::string_view text) {
  using Action = hooks::Verdict::Action;
  const auto verdict = plugins::abi1_verdict(text);
  if (!verdict) return require_one_line(verdict.error());
  const bool has_nul = verdict->text.find('\0') != std::string::npos;
  switch (verdict->action) {
    case Action::proceed: require(verdict->text.empty(), "proceed says nothing"); break;
    case Action::block:
      require(!has_nul, "a reason without NUL");
      require(verdict->sqlstate.empty() || verdict->sqlstate.size() == 5, "SQLSTATE");
      break;
    case Action::rewrite: require(!has_nul && !verdict->text.empty(), "a text to run"); break;
    case Action::answer: require(verdict->answer != nullptr, "rows"); break;
  }
}

// The verdict does not depend on how the JSON is laid out, nor on the dialect.
void check_dialects(std::string_view text) {
  json::error_code error;
  json::value value = json::parse(text, error);
  if (error || !value.is_object()) return;
  const auto first = plugins::abi1_verdict(text);
  const auto again = plugins::abi1_verdict(json::serialize(value));
  if (!first || !again) return;  // the limit on depth is the decoder's own
  require(first->action == again->action, "the same action however it is written");
  json::object& object = value.get_object();
  if (object.if_contains("action") == nullptr || object.if_contains("kind") != nullptr) return;
  object["kind"] = object["action"];
  object.erase("action");
  const auto other = plugins::abi1_verdict(json::serialize(value));
  require(other.has_value() && other->action == first->action, "the same action in both dialects");
  require_equal(other->text, first->text, "the same text in both dialects");
}

void check_authentication(std::string_view text) {
  using Action = hooks::AuthenticationVerdict::Action;
  const auto verdict = plugins::abi1_authentication(text);
  if (!verdict) return require_one_line(verdict.error());
  require(verdict->action == Action::success || verdict->identity.roles.empty(),
          "an identity with success only");
}

json::value parsed(const std::string& text) {
  json::error_code error;
  json::value value = json::parse(text, error);
  require(!error, "what the host writes is JSON: " + text);
  return value;
}

// What JSON can hold of `text`: bytes that are not UTF-8 are replaced.
void require_text(const json::value& value, std::string_view text, std::string_view what) {
  require(value.is_string(), what);
  if (base::is_valid_utf8(text)) require_equal(std::string_view(value.get_string()), text, what);
}

void check_inputs(std::string_view text) {
  auto context = std::make_shared<hooks::Context>();
  context->user = text;
  // Names are unique.
  context->attributes = {{"tenant_id", std::string(text)},
                         {"helios." + std::string(text), "value"}};
  hooks::StatementExecution statement;
  statement.text = text;
  statement.context = std::move(context);
  const std::string extra = plugins::config_attributes({{std::string(text), std::string(text)}});
  const auto before = parsed(plugins::abi1_input(hooks::HookPoint::pre_query, statement, extra));
  require_text(before.at("query"), text, "query");
  require_text(before.at("hook_context").at("attributes").at("tenant_id"), text, "tenant_id");

  statement.outcome = hooks::Outcome::failed;
  statement.error_message = text;
  const auto after = parsed(plugins::abi1_input(hooks::HookPoint::post_query, statement, extra));
  require(after.is_array() && after.get_array().size() == 2, "context and outcome");
  require_text(after.at(0).at("query"), text, "query");

  hooks::AuthenticationRequest request;
  request.user = text;
  request.attributes = {{"os_user", std::string(text)}};
  const auto login = parsed(plugins::abi1_authentication_input(request));
  require_text(login.at("username"), text, "username");
  require_text(login.at("headers").at("os_user"), text, "os_user");
}

}  // namespace
}  // namespace helios::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace helios::fuzz;
  const std::string_view text = text_of(data, size);
  check_verdict(text);
  check_dialects(text);
  if (const auto answer = helios::plugins::abi1_answer(text); !answer)
    require_one_line(answer.error());
  check_authentication(text);
  check_inputs(text);
  return 0;
}
