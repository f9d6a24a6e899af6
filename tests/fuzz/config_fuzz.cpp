// SPDX-License-Identifier: Apache-2.0
//
// The configuration and its small languages. What is refused is refused in one line that names the
// place; what is accepted holds what the header of config promises; an address reads back as written.
// Input: a configuration file.

#include "config/config.hpp"
#include "fuzz/support/error_line.hpp"
#include "fuzz/support/fuzz.hpp"

#include <algorithm>

namespace helios::fuzz {
namespace {

constexpr std::string_view kFile = "proxy.toml";

void check_ranges(const config::Config& config) {
  require(config.listen.workers <= 64, "listen.workers");
  require(!config.listen.addresses.empty(), "listen.addresses");
  require(config.server.port != 0, "server.port");
  require(config::check_server_host(config.server.host).has_value(), "server.host");
  require(std::ranges::all_of(config.admin.addresses, config::is_loopback), "admin.addresses");
  require(config.plugins.limits.memory_mb >= 1 && config.plugins.limits.memory_mb <= 256,
          "plugins.limits.memory_mb");
  require(config.plugins.pool_instances >= 8, "plugins.pool_instances");
  require(config.protocol.max_query_bytes >= 1024, "protocol.max_query_bytes");
  require(config.identity.rules.size() <= config::kMaxIdentityRules, "identity.rules");
  for (const config::IdentityRule& rule : config.identity.rules) {
    require(!rule.settings.empty(), "identity.rules: something is set");
    for (const auto& [name, value] : rule.settings) {
      require(name.starts_with("helios.") && !value.empty(), "identity.rules.set");
    }
    for (const std::string& pattern : {rule.user, rule.database, rule.os_user}) {
      require(std::ranges::count(pattern, '*') <= 1, "identity.rules: a pattern");
    }
    require(rule.os_user.empty() || rule.client.admits_local(), "identity.rules.client");
  }
}

// One line as each of the words that options and addresses are made of.
void check_words(std::string_view line) {
  if (const auto address = config::parse_address(line)) {
    const auto again = config::parse_address(config::to_string(*address));
    require(again.has_value() && *again == *address, "an address reads back as written");
  }
  if (const auto server = config::parse_server(line)) {
    require(config::check_server_host(server->host).has_value(), "the host of a server");
  }
  (void)config::parse_log_level(line);
  if (const auto client = config::ClientPattern::parse(line)) {
    const auto again = config::ClientPattern::parse(client->text());
    require(again.has_value() && *again == *client, "a range of clients reads back as written");
  }
}

}  // namespace
}  // namespace helios::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace helios;
  using namespace helios::fuzz;
  const std::string_view text = text_of(data, size);
  check_words(text.substr(0, text.find('\n')));
  const auto config = config::parse_config(text, kFile);
  if (config) {
    check_ranges(*config);
  } else {
    require_error_lines(config.error().message, kFile, text);
  }
  return 0;
}
