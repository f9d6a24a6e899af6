// SPDX-License-Identifier: Apache-2.0
#include "plugins/abi/abi1_input.hpp"

#include "hooks/request_id.hpp"
#include "plugins/abi/json_writer.hpp"

#include <array>
#include <cstdint>

namespace helios::plugins {

namespace {

// Room for what is not text of the statement or its context.
constexpr std::size_t kFrameBytes = 512;

using Texts = std::vector<std::pair<std::string, std::string>>;

// "name":"value",... without the braces.
void append_members(std::string& out, const Texts& texts) {
  bool first = true;
  for (const auto& [name, value] : texts) {
    if (!first) out += ',';
    first = false;
    append_json_string(out, name);
    out += ':';
    append_json_string(out, value);
  }
}

void append_attributes(std::string& out, const hooks::Context& context, std::string_view config) {
  const bool first = context.attributes.empty();
  out += '{';
  append_members(out, context.attributes);
  out += first && !config.empty() ? config.substr(1) : config;
  out += '}';
}

void append_hook_context(std::string& out, const hooks::StatementExecution& statement,
                         std::string_view config) {
  const hooks::Context& context = *statement.context;
  out += R"({"request_id":)";
  out += '"';
  const auto id = hooks::request_id(statement.context->session_id, statement.id);
  out.append(id.data(), id.size());
  out += '"';
  out += R"(,"client_id":)";
  append_json_string(out, context.session_id);
  out += R"(,"identity":)";
  append_json_string_or_null(out, context.user);
  out += R"(,"database":)";
  append_json_string_or_null(out, context.database);
  out += R"(,"branch":null,"attributes":)";
  append_attributes(out, context, config);
  out += '}';
}

void append_query_context(std::string& out, const hooks::StatementExecution& statement,
                          std::string_view config, bool with_normalized) {
  out += R"({"query":)";
  const std::size_t begin = out.size();
  append_json_string(out, statement.current_text());
  const std::size_t length = out.size() - begin;
  if (with_normalized) {
    out += R"(,"normalized":)";
    out.append(out, begin, length);
  }
  out += R"(,"tables":[],"is_read_only":)";
  out += statement.is_read_only ? "true" : "false";
  out += R"(,"hook_context":)";
  append_hook_context(out, statement, config);
  out += '}';
}

std::string_view to_word(hooks::Outcome outcome) {
  switch (outcome) {
    case hooks::Outcome::executed: return "executed";
    case hooks::Outcome::answered: return "answered";
    case hooks::Outcome::failed: return "failed";
    case hooks::Outcome::refused: return "refused";
    case hooks::Outcome::skipped: return "skipped";
    case hooks::Outcome::lost: return "lost";
    case hooks::Outcome::unknown: return "unknown";
  }
  return "";
}

void append_outcome(std::string& out, const hooks::StatementExecution& statement) {
  out += R"({"success":)";
  const bool is_success = statement.outcome == hooks::Outcome::executed ||
                          statement.outcome == hooks::Outcome::answered;
  out += is_success ? "true" : "false";
  out += R"(,"target_node":"primary","elapsed_us":)";
  append_json_number(out, statement.duration_ns / 1000);
  out += R"(,"response_bytes":)";
  append_json_number(out, statement.response_bytes);
  out += R"(,"error":)";
  append_json_string_or_null(out, statement.error_message);
  out += R"(,"outcome":)";
  append_json_string(out, to_word(statement.outcome));
  out += R"(,"rows":)";
  if (statement.rows)
    append_json_number(out, *statement.rows);
  else
    out += "null";
  out += R"(,"sqlstate":)";
  append_json_string_or_null(out, statement.sqlstate);
  out += '}';
}

}  // namespace

std::string config_attributes(const Texts& config) {
  std::string out;
  for (const auto& [key, value] : config) {
    out += ',';
    append_json_string(out, "config." + key);
    out += ':';
    append_json_string(out, value);
  }
  return out;
}

std::string abi1_authentication_input(const hooks::AuthenticationRequest& request,
                                      std::string buffer) {
  std::string out = std::move(buffer);
  out = R"({"headers":{)";
  append_members(out, request.attributes);
  out += R"(},"username":)";
  append_json_string(out, request.user);
  out += R"(,"password":null,"client_ip":)";
  append_json_string(out, request.client_ip);
  out += R"(,"database":)";
  append_json_string_or_null(out, request.database);
  out += R"(,"client_id":)";
  append_json_string(out, request.session_id);
  out += '}';
  return out;
}

std::string abi1_input(hooks::HookPoint point, const hooks::StatementExecution& statement,
                       std::string_view config, std::string buffer, bool with_normalized) {
  std::string out = std::move(buffer);
  out.clear();
  const std::size_t copies = with_normalized ? 2 : 1;
  out.reserve(kFrameBytes + copies * statement.current_text().size() + config.size());
  switch (point) {
    case hooks::HookPoint::authenticate:
    case hooks::HookPoint::settled:
    case hooks::HookPoint::check_write:
    case hooks::HookPoint::event: break;  // not of this kind, or not of this ABI
    case hooks::HookPoint::pre_query:
      append_query_context(out, statement, config, with_normalized);
      break;
    case hooks::HookPoint::post_query:
      out += '[';
      append_query_context(out, statement, config, with_normalized);
      out += ',';
      append_outcome(out, statement);
      out += ']';
      break;
  }
  return out;
}

}  // namespace helios::plugins
