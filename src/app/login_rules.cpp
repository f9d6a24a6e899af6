// SPDX-License-Identifier: Apache-2.0
#include "app/login_rules.hpp"

#include "config/secret_file.hpp"

#include <string>

namespace helios::app {
namespace {

// A client on TLS tells the server that he could bind his channel; a server on TLS, which has offered that, believes that
// somebody has hidden it from him.
base::Result<void> check_relayed(const config::Config& config, const auth::LoginRules* rules) {
  const bool has_both = config.tls.mode != config::TlsMode::disable &&
                        config.server.tls.mode != config::ServerTlsMode::disable &&
                        !config.server.host.starts_with('/');
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

// Proxies that stand in for one another show a user whom nobody knows the same salt.
base::Result<auth::Key> secret_of(const config::NamedFile& file, const plugins::HmacKey& key) {
  if (file.path.empty()) return auth::Key({reinterpret_cast<const char*>(key.data()), key.size()});
  constexpr std::size_t kLeast = 16;
  constexpr std::size_t kMost = 4096;
  auto secret = config::read_secret_file(file.path, kMost);
  if (!secret) return base::fail(secret.error().code, file.origin + ": " + secret.error().message);
  if (secret->size() < kLeast)
    return base::fail(base::Errc::invalid, file.origin + ": " + file.path + ": has only " +
                                               std::to_string(secret->size()) +
                                               " bytes: somebody could guess them");
  return auth::hmac(auth::Key(), *secret);
}

base::Result<auth::SharedLoginRules> load_rules(const config::Auth& settings,
                                                const plugins::HmacKey& key) {
  if (settings.hba_file.empty()) return auth::SharedLoginRules();
  const auto secret = secret_of(settings.mock_key_file, key);
  if (!secret) return std::unexpected(secret.error());
  // A key of its own: what is derived from it is shown to everybody.
  const auth::Key own = auth::hmac(*secret, "mock verifiers");
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

// PostgreSQL says so too.
void warn_of_idle_rules(const config::Config& config, const auth::LoginRules* rules,
                        base::Log& log) {
  if (rules == nullptr || config.tls.mode != config::TlsMode::disable) return;
  for (const auto& rule : rules->rules()) {
    if (rule.type == auth::ConnectionType::hostssl)
      log.write(
          base::LogLevel::warning,
          rule.place +
              ": hostssl fits nobody, for clients have no TLS here: set [tls] certificate and "
              "key, or write host");
  }
}

}  // namespace helios::app
