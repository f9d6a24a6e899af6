// SPDX-License-Identifier: Apache-2.0
#include "cli/block_command.hpp"

#include "admin/target.hpp"
#include "base/text.hpp"
#include "blocks/block.hpp"
#include "cli/json_answer.hpp"
#include "cli/since.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <ostream>
#include <utility>

namespace helios::cli {
namespace {

namespace json = boost::json;

void declare_whom(CLI::App& command, BlockOptions& options) {
  command.add_option("kind", options.kind, "user, database, tenant or agent")
      ->required()
      ->check(CLI::IsMember({"user", "database", "tenant", "agent"}));
  command.add_option("name", options.name, "The name, as the proxy knows it")->required();
}

std::string target_of(const BlockOptions& options) {
  return "/blocks/" + options.kind + "/" + admin::percent_encode(options.name);
}

base::Result<std::string> body_of(const BlockOptions& options) {
  json::object body{{"reason", options.reason}};
  if (!options.duration.empty()) {
    const auto ms = parse_duration(options.duration);
    if (!ms) return base::fail(ms.error().code, "--for: " + ms.error().message);
    if (*ms < 1000) return base::fail(base::Errc::invalid, "--for: a second is the least");
    body["for_seconds"] = *ms / 1000;
  }
  return json::serialize(body);
}

base::Result<json::object> ask_object(const AskAdmin& ask, const admin::Request& request) {
  const auto response = checked(ask(request));
  if (!response) return std::unexpected(response.error());
  auto answer = parse_object(response->body);
  if (!answer) return base::fail(answer.error().code, "the answer " + answer.error().message);
  return answer;
}

bool is_true(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

base::Result<void> change(const BlockOptions& options, const AskAdmin& ask, std::ostream& out) {
  const bool is_block = options.verb == BlockVerb::block;
  admin::Request request;
  request.method = is_block ? admin::Method::put : admin::Method::del;
  request.target = target_of(options);
  if (is_block) {
    auto body = body_of(options);
    if (!body) return std::unexpected(body.error());
    request.body = *std::move(body);
  }
  const auto answer = ask_object(ask, request);
  if (!answer) return std::unexpected(answer.error());
  const std::string warning = text_of(*answer, "warning");
  if (is_block) {
    out << "blocked, " << number_of(*answer, "sessions_ended").value_or(0) << " sessions ended"
        << (is_true(*answer, "kept") ? "" : ", kept until the proxy ends") << '\n';
  } else {
    out << "not blocked any more\n";
  }
  if (!warning.empty()) out << "warning: " << base::escape_for_log(warning) << '\n';
  return {};
}

// What others wrote must not reach a terminal as it is.
std::string shown(const json::object& block, std::string_view name) {
  return base::escape_for_log(text_of(block, name), blocks::kMaxReasonBytes);
}

void print(const json::object& block, std::ostream& out) {
  const bool is_text = block.contains("name");
  const std::string until = shown(block, "expires_at");
  out << shown(block, "kind") << ' ' << shown(block, is_text ? "name" : "name_percent_encoded")
      << " since " << shown(block, "since");
  if (!until.empty()) out << " until " << until;
  if (!is_true(block, "kept")) out << " (kept until the proxy ends)";
  out << ": " << shown(block, "reason") << '\n';
}

base::Result<void> list(const BlockOptions& options, const AskAdmin& ask, std::ostream& out) {
  admin::Request request;
  request.target = "/blocks";
  const auto answer = ask_object(ask, request);
  if (!answer) return std::unexpected(answer.error());
  const json::value* blocks = answer->if_contains("blocks");
  if (blocks == nullptr || !blocks->is_array())
    return base::fail(base::Errc::invalid, "the answer has no list of blocks");
  for (const json::value& each : blocks->get_array()) {
    if (!each.is_object()) continue;
    if (options.as_json) {
      out << json::serialize(each) << '\n';
    } else {
      print(each.get_object(), out);
    }
  }
  return {};
}

}  // namespace

void declare_blocks(CLI::App& app, BlockOptions& options) {
  CLI::App* block = app.add_subcommand(
      "block", "Keep a user, database, tenant or agent out, and end the sessions that are there");
  declare_whom(*block, options);
  block->add_option("--reason", options.reason, "Why: those who are blocked are told")->required();
  block->add_option("--for", options.duration,
                    "How long, such as 30m, 2h or 7d; until unblock if left out");
  CLI::App* unblock = app.add_subcommand("unblock", "Let somebody in again");
  declare_whom(*unblock, options);
  CLI::App* blocked = app.add_subcommand("blocked", "Print who is blocked, and why");
  blocked->add_flag("--json", options.as_json, "A JSON object for each, one a line");
  const auto set_verb = [&options](BlockVerb verb) {
    return [&options, verb] { options.verb = verb; };
  };
  block->callback(set_verb(BlockVerb::block));
  unblock->callback(set_verb(BlockVerb::unblock));
  blocked->callback(set_verb(BlockVerb::list));
  for (CLI::App* command : {block, unblock, blocked}) declare_admin(*command, options.admin);
}

base::Result<void> run_blocks(const BlockOptions& options, const AskAdmin& ask, std::ostream& out) {
  return options.verb == BlockVerb::list ? list(options, ask, out) : change(options, ask, out);
}

}  // namespace helios::cli
