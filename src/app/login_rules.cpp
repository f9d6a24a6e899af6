// SPDX-License-Identifier: Apache-2.0
#include "app/login_rules.hpp"

#include <string>

namespace helios::app {

base::Result<auth::SharedLoginRules> load_login_rules(const config::Auth& settings,
                                                      const plugins::HmacKey& key) {
  if (settings.hba_file.empty()) return auth::SharedLoginRules();
  // A key of its own: what is derived from it is shown to everybody.
  const auth::Key own = auth::hmac(
      auth::Key({reinterpret_cast<const char*>(key.data()), key.size()}), "mock verifiers");
  return auth::LoginRules::load(settings, std::string(own.view()));
}

}  // namespace helios::app
