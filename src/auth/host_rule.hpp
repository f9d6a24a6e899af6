// SPDX-License-Identifier: Apache-2.0
#pragma once

// One record of pg_hba.conf (manual, 21.1): which logins it is for, and how they are authenticated.

#include "auth/address_range.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace helios::auth {

// How the client is connected. `host` also stands for hostnogssenc: no connection to the proxy has GSSAPI encryption.
enum class ConnectionType { local, host, hostssl, hostnossl };

enum class Method {
  trust,
  reject,
  password,
  md5,
  scram_sha_256,
  cert,
  peer,
  passthrough,  // not PostgreSQL's: the server authenticates the client
};

// What must be so of the client's certificate, whatever the method.
enum class ClientCertificate {
  none,
  verify_ca,    // it is from a trusted authority
  verify_full,  // and its name is the user's. Always so with method cert
};

// Which name in the certificate is the client's.
enum class CertificateName { cn, dn };

// Who wants in. Views: until the call that is given it returns.
struct Login {
  bool is_unix = false;        // by the Unix socket: `address` and `is_encrypted` do not count
  bool is_encrypted = false;   // by TLS
  std::string_view address{};  // as the system prints it
  std::string_view user{};
  std::string_view database{};  // of a physical replication connection it does not count
  bool is_physical_replication = false;
};

// One column of names. Names are compared byte by byte.
struct NameSet {
  bool all = false;
  std::vector<std::string> names;  // sorted

  [[nodiscard]] bool contains(std::string_view name) const;
};

struct DatabaseSet {
  NameSet names;             // its `all` is every database, not replication
  bool same_user = false;    // the database that has the user's name
  bool replication = false;  // physical replication connections

  [[nodiscard]] bool contains(const Login& login) const;
};

struct HostRule {
  std::string place;  // "pg_hba.conf:12"
  std::string text;   // the line as it reads
  ConnectionType type = ConnectionType::local;
  DatabaseSet databases;
  NameSet users;
  AddressRange addresses;  // everything for `local`
  Method method = Method::reject;
  std::string map;  // of pg_ident.conf; empty: the names must be equal
  ClientCertificate clientcert = ClientCertificate::none;
  CertificateName clientname = CertificateName::cn;

  // `address` is login.address, parsed; none: the client is on the Unix socket, or has an address that is none. To that
  // one no rule applies.
  [[nodiscard]] bool fits(const Login& login, const std::optional<IpAddress>& address) const;
};

// As it is written in the file.
[[nodiscard]] std::string_view name_of(Method method);

}  // namespace helios::auth
