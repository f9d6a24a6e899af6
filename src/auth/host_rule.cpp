// SPDX-License-Identifier: Apache-2.0

#include "auth/host_rule.hpp"

#include <algorithm>
#include <functional>

namespace helios::auth {
namespace {

bool fits_type(ConnectionType type, const Login& login) {
  switch (type) {
    case ConnectionType::local: return login.is_unix;
    case ConnectionType::host: return !login.is_unix;
    case ConnectionType::hostssl: return !login.is_unix && login.is_encrypted;
    case ConnectionType::hostnossl: return !login.is_unix && !login.is_encrypted;
  }
  return false;
}

}  // namespace

bool NameSet::contains(std::string_view name) const {
  return all || std::binary_search(names.begin(), names.end(), name, std::less<>());
}

bool DatabaseSet::contains(const Login& login) const {
  // Such a connection is to no database, whatever its startup packet names.
  if (login.is_physical_replication) return replication;
  return (same_user && login.database == login.user) || names.contains(login.database);
}

bool HostRule::fits(const Login& login, const std::optional<IpAddress>& address) const {
  if (!fits_type(type, login)) return false;
  if (!login.is_unix && !(address && addresses.contains(*address))) return false;
  return databases.contains(login) && users.contains(login.user);
}

std::string_view name_of(Method method) {
  switch (method) {
    case Method::trust: return "trust";
    case Method::reject: return "reject";
    case Method::password: return "password";
    case Method::md5: return "md5";
    case Method::scram_sha_256: return "scram-sha-256";
    case Method::cert: return "cert";
    case Method::peer: return "peer";
    case Method::passthrough: return "passthrough";
  }
  return "";
}

}  // namespace helios::auth
