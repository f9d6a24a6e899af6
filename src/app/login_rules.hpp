// SPDX-License-Identifier: Apache-2.0
#pragma once

// By what the proxy lets clients in, as the configuration has it.

#include "auth/login_rules.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "config/config.hpp"
#include "plugins/hmac.hpp"

namespace helios::app {

// Reads the files of [auth]. Null: there is no hba_file, and the server authenticates clients. `key`: of the state directory;
// what unknown users are shown comes from it. Errors: as auth::LoginRules::load(); invalid, where logins would be relayed
// between two connections with TLS, which SCRAM takes for an attack, or a rule wants certificates that clients are not asked for.
[[nodiscard]] base::Result<auth::SharedLoginRules> load_login_rules(const config::Config& config,
                                                                    const plugins::HmacKey& key);

// A warning for each rule that can fit nobody, because of what stands elsewhere in the configuration: hostssl without a certificate.
void warn_of_idle_rules(const config::Config& config, const auth::LoginRules* rules,
                        base::Log& log);

}  // namespace helios::app
