// SPDX-License-Identifier: Apache-2.0
#include "app/login_rules.hpp"

#include <string>

namespace helios::app {
namespace {

// A client on TLS tells the server that he could bind his channel; a server on TLS, which has offered that, believes that
// somebody has hidden it from him.
base::Result<void> check_relayed(const config::Config& config, const auth::LoginRules* rules) {
  const bool has_both = config.tls.mode != config::TlsMode::disable &&
                        config.server.tls.mode != config::ServerTlsMode::disable;
  if (!has_both) return {};
  const std::string origin =
      config.server.tls.origin.empty() ? "" : config.server.tls.origin + ": ";
  const std::string why =
      "a login that is relayed between two connections with TLS looks like an attack to clients "
      "and servers that bind channels: ";
  if (rules == nullptr)
    return base::fail(base::Errc::invalid, origin + why + "set [auth] hba_file");
  for (const auto& rule : rules->rules()) {
    const bool may_be_encrypted =
        rule.type == auth::ConnectionType::host || rule.type == auth::ConnectionType::hostssl;
    if (rule.method == auth::Method::passthrough && may_be_encrypted)
      return base::fail(base::Errc::invalid,
                        rule.place + ": " + why + "write hostnossl, or another method");
  }
  return {};
}

base::Result<void> check_certificates(const config::Tls& tls, const auth::LoginRules* rules) {
  if (rules == nullptr || !tls.client_ca.path.empty()) return {};
  for (const auto& rule : rules->rules()) {
    if (rule.clientcert != auth::ClientCertificate::none)
      return base::fail(base::Errc::invalid,
                        rule.place +
                            ": clients are not asked for certificates: set [tls] "
                            "client_ca, or use another method");
  }
  return {};
}

base::Result<auth::SharedLoginRules> load_rules(const config::Auth& settings,
                                                const plugins::HmacKey& key) {
  if (settings.hba_file.empty()) return auth::SharedLoginRules();
  // A key of its own: what is derived from it is shown to everybody.
  const auth::Key own = auth::hmac(
      auth::Key({reinterpret_cast<const char*>(key.data()), key.size()}), "mock verifiers");
  return auth::LoginRules::load(settings, std::string(own.view()));
}

}  // namespace

base::Result<auth::SharedLoginRules> load_login_rules(const config::Config& config,
                                                      const plugins::HmacKey& key) {
  auto rules = load_rules(config.auth, key);
  if (!rules) return rules;
  if (auto checked = check_relayed(config, rules->get()); !checked)
    return std::unexpected(checked.error());
  if (auto checked = check_certificates(config.tls, rules->get()); !checked)
    return std::unexpected(checked.error());
  return rules;
}

}  // namespace helios::app
