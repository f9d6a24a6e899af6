// SPDX-License-Identifier: Apache-2.0
#include "cli/refusals_command.hpp"

#include "admin/target.hpp"
#include "base/rfc3339.hpp"
#include "base/text.hpp"
#include "cli/json_answer.hpp"
#include "cli/since.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>

#include <optional>
#include <ostream>
#include <utility>

namespace helios::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxShownBytes = 400;

// `since`: in RFC 3339; empty: from the first.
std::string target_of(const RefusalsOptions& options, const std::string& since,
                      std::optional<std::int64_t> after) {
  std::string target = "/refusals?limit=" + std::to_string(options.limit);
  const auto add = [&](const std::string& name, const std::string& value) {
    if (!value.empty()) target += "&" + name + "=" + admin::percent_encode(value);
  };
  add("tenant", options.tenant);
  add("user", options.user);
  add("plugin", options.plugin);
  add("since", since);
  if (after) add("after", std::to_string(*after));
  return target;
}

// What others wrote must not reach a terminal as it is.
std::string shown(const json::object& refusal, std::string_view name) {
  const std::string text = text_of(refusal, name);
  return text.empty() ? "-" : base::escape_for_log(text, kMaxShownBytes);
}

void print(const json::object& refusal, std::ostream& out) {
  out << shown(refusal, "time") << ' ' << shown(refusal, "sqlstate") << ' '
      << shown(refusal, "plugin") << " (" << shown(refusal, "decided_by") << ") user "
      << shown(refusal, "user") << " tenant " << shown(refusal, "tenant") << ": "
      << shown(refusal, "reason") << " [" << shown(refusal, "request_id") << "]\n";
}

// Returns the number behind which to go on.
base::Result<std::int64_t> print_page(const RefusalsOptions& options, const std::string& since,
                                      const AskAdmin& ask, std::ostream& out,
                                      std::optional<std::int64_t> after) {
  admin::Request request;
  request.target = target_of(options, since, after);
  const auto response = checked(ask(request));
  if (!response) return std::unexpected(response.error());
  const auto page = parse_object(response->body);
  if (!page) return base::fail(page.error().code, "the answer " + page.error().message);
  const json::value* list = page->if_contains("refusals");
  if (list == nullptr || !list->is_array())
    return base::fail(base::Errc::invalid, "the answer has no list of refusals");
  for (const json::value& each : list->get_array()) {
    if (!each.is_object()) continue;
    if (options.as_json) {
      out << json::serialize(each) << '\n';
    } else {
      print(each.get_object(), out);
    }
  }
  out.flush();
  return number_of(*page, "last").value_or(0);
}

}  // namespace

void declare_refusals(CLI::App& app, RefusalsOptions& options) {
  CLI::App* command =
      app.add_subcommand("refusals", "Print why statements and clients were refused");
  declare_admin(*command, options.admin);
  command->add_option("--tenant", options.tenant, "Only of this tenant");
  command->add_option("--user", options.user, "Only of this user");
  command->add_option("--plugin", options.plugin, "Only by this plugin; \"proxy\": its own rules");
  command->add_option("--since", options.since,
                      "Only from then on: 10m ago, or a time such as 2026-10-03T12:00:00Z");
  command->add_option("--limit", options.limit, "The newest so many")->check(CLI::Range(1, 1000));
  command->add_flag("--json", options.as_json, "A JSON object for each, one a line");
  command->add_flag("--follow", options.follow, "Go on with those that come, until it is stopped");
  command->callback([&options] { options.is_asked_for = true; });
}

base::Result<void> run_refusals(const RefusalsOptions& options, const AskAdmin& ask,
                                std::ostream& out, const std::function<bool()>& wait,
                                std::int64_t now_ms) {
  std::string since;
  if (!options.since.empty()) {
    const auto since_ms = parse_since(options.since, now_ms);
    if (!since_ms) return std::unexpected(since_ms.error());
    since = base::to_rfc3339(*since_ms);
  }
  auto last = print_page(options, since, ask, out, std::nullopt);
  while (last && options.follow && out && wait()) {
    last = print_page(options, since, ask, out, *last);
  }
  if (!last) return std::unexpected(last.error());
  return {};
}

}  // namespace helios::cli
