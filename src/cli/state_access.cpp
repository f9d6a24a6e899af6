// SPDX-License-Identifier: Apache-2.0
#include "cli/state_access.hpp"

#include "admin/http/client.hpp"
#include "app/offline_state.hpp"
#include "app/store_settings.hpp"
#include "config/secret_file.hpp"
#include "kv/namespace_name.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

namespace helios::cli {
namespace {

constexpr std::size_t kMaxTokenBytes = 4096;

base::Result<admin::http::Endpoint> endpoint_of(const AdminOptions& options) {
  auto endpoint = admin::http::parse_endpoint(options.url);
  if (!endpoint) return endpoint;
  endpoint->ca_file = options.ca_file;
  if (!options.token_file.empty()) {
    const auto token = config::read_secret_file(options.token_file, kMaxTokenBytes);
    if (!token) return std::unexpected(token.error());
    endpoint->token = token->substr(0, token->find_last_not_of(" \t\r\n") + 1);
  } else if (const char* token = std::getenv("HELIOS_ADMIN_TOKEN"); token != nullptr) {
    endpoint->token = token;
  }
  return endpoint;
}

base::Result<void> with_proxy(const AdminOptions& given, const WithState& command) {
  const auto options = complete(given, [](const char* name) { return std::getenv(name); });
  if (!options) return std::unexpected(options.error());
  const auto endpoint = endpoint_of(*options);
  if (!endpoint) return std::unexpected(endpoint.error());
  const AskAdmin ask = [&](const admin::Request& request) {
    return admin::http::send(*endpoint, request, options->timeout_ms);
  };
  return command({.ask = ask, .read_page = page_reader(ask)});
}

// Without JSON in between, which is what most of the time would go into.
base::Result<AnsweredPage> page_of(app::OfflineState& state, std::string_view plugin,
                                   std::string_view stream, const kv::StreamRange& range) {
  auto space = kv::namespace_name(plugin);
  if (!space) return std::unexpected(space.error());
  auto page = state.read_stream(*space, stream, range);
  if (!page) return std::unexpected(page.error());
  const kv::RecordNumber next = page->records.empty() ? std::max(range.from, page->extent.next)
                                                      : page->records.back().number + 1;
  return AnsweredPage{.plugin = *std::move(space), .page = *std::move(page), .next_from = next};
}

// Quotas are those of the configuration file, where one is given.
base::Result<void> with_directory(const Options& options, const AdminOptions& admin,
                                  bool only_reads, const WithState& command) {
  if (admin.salvage && !only_reads)
    return base::fail(base::Errc::invalid, "--salvage is for commands that only read");
  const auto config = make_config(options);
  if (!config) return std::unexpected(config.error());
  const auto state = app::OfflineState::open({.directory = admin.state,
                                              .read_only = only_reads,
                                              .salvage = admin.salvage,
                                              .archive = admin.archive,
                                              .limits = app::to_limits(*config)});
  if (!state) return std::unexpected(state.error());
  const base::Result<void> result = command(
      {.ask = [&](const admin::Request& request) -> base::Result<admin::Response> {
         return (*state)->answer(request);
       },
       .read_page =
           [&](std::string_view plugin, std::string_view stream, const kv::StreamRange& range) {
             return page_of(**state, plugin, stream, range);
           }});
  const base::Result<void> closed = (*state)->close();
  return result ? closed : result;
}

}  // namespace

base::Result<void> with_state(const Options& options, const AdminOptions& admin, bool only_reads,
                              const WithState& command) {
  return admin.state.empty() ? with_proxy(admin, command)
                             : with_directory(options, admin, only_reads, command);
}

}  // namespace helios::cli
