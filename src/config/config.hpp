// SPDX-License-Identifier: Apache-2.0
#pragma once

// The configuration, validated: text in, Config out. docs/configuration.md lists every key with its
// unit and default; a test keeps that list and this struct together.

#include "base/result.hpp"
#include "config/client_pattern.hpp"
#include "config/identity_rule.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helios::config {

// A place to listen on.
struct Address {
  std::string host;        // an IPv4 or IPv6 literal, without brackets
  std::uint16_t port = 0;  // 0 = any free port (the one chosen is logged)
  bool operator==(const Address&) const = default;
};

// Some values can only be found wrong when they are used (a port is busy, a folder is missing). Their
// `origin` says where they come from, for the message: "FILE:LINE: listen.addresses"; empty when
// nobody configured them.

// What the event loops work with. `automatic` (auto): io_uring where the kernel lets us, or epoll.
enum class EngineChoice { automatic, io_uring, epoll };

struct Listen {                    // [listen]
  std::vector<Address> addresses;  // addresses = ["127.0.0.1:6432", "[::1]:6432"]
  bool is_default = true;          // nobody configured them: one that the machine lacks is skipped
  std::string origin;              // who asked for them, see above
  std::uint32_t workers = 0;       // workers = 0: one per core, at most 64
  EngineChoice engine = EngineChoice::automatic;  // engine = "auto" | "io_uring" | "epoll"
  // proxy_protocol_from = []: addresses, ranges, or "local" for the Unix socket, whose connections begin with a header of the
  // PROXY protocol, which is believed. From elsewhere it is not.
  std::vector<ClientPattern> proxy_protocol_from;

  // A Unix socket for clients, `.s.PGSQL.<port>` in unix_socket_dir; empty: none.
  std::string unix_socket_dir;            // unix_socket_dir = "": an absolute path
  std::string unix_socket_origin;         // of `unix_socket_dir`
  std::uint16_t unix_socket_port = 0;     // unix_socket_port = 0: that of the first address
  std::uint32_t unix_socket_mode = 0777;  // unix_socket_mode = "0777": octal, as for chmod
  std::string unix_socket_group;  // unix_socket_group = "": name or number; empty: as it comes
  // unix_socket_peer = true: whoever comes through it may only be the database user of his own name.
  bool unix_socket_peer = false;
};

// A certificate and its key: PEM files, relative to the config file.
struct CertificateFiles {
  std::string certificate;  // and those between it and the root
  std::string key;          // without a passphrase
  std::string certificate_origin;
  std::string key_origin;
};

enum class TlsMode {
  disable,  // clients are told that there is none
  prefer,   // clients that ask for it have it
  require,  // who comes by TCP without it may only send cancel requests
};
enum class TlsVersion { tls12, tls13 };

// A file that the configuration names. Empty: it names none.
struct NamedFile {
  std::string path;
  std::string origin;  // "FILE:LINE: section.key"
};

struct Tls {  // [tls]: towards clients that come by TCP
  // mode = "disable" | "prefer" (and "allow", which is the same) | "require". Without the key: "prefer" where there is a
  // certificate, else "disable".
  TlsMode mode = TlsMode::disable;
  // certificate, key: for everybody. [[tls.certificates]]: others, for clients that ask for a name in them.
  std::vector<CertificateFiles> certificates;
  TlsVersion min_version = TlsVersion::tls12;  // min_version = "1.2" | "1.3"
  std::string
      ciphers;  // ciphers = "": of TLS 1.2, as `openssl ciphers` takes them; empty: OpenSSL's
  std::string tls13_ciphers;  // tls13_ciphers = "": of TLS 1.3, likewise
  std::string ciphers_origin;
  std::string tls13_ciphers_origin;
  // client_ca = "": PEM file of the authorities whose clients are believed; empty: nobody is asked for a certificate.
  NamedFile client_ca;
  NamedFile client_crl;  // client_crl = "": PEM file of what they have revoked; needs client_ca
};

struct Auth {  // [auth]: how clients are let in. Paths are relative to the config file.
  // hba_file = "": rules in the format of pg_hba.conf. Empty: the server authenticates clients.
  std::string hba_file;
  std::string ident_file;  // ident_file = "": maps of OS users, as pg_ident.conf
  std::string user_file;   // user_file = "": users and secrets, as userlist.txt of PgBouncer
  // mock_key_file = "": a secret of at least 16 bytes, from which comes what unknown users are shown. Empty: that of the
  // state directory.
  NamedFile mock_key_file;
  // allow_cleartext_passwords = false: method `password` by TCP without TLS.
  bool allow_cleartext_passwords = false;
};

struct Tcp {              // [tcp]: of client and server connections; 0 = what the system has
  bool keepalive = true;  // probe peers that are silent
  std::uint32_t keepalive_idle_s = 60;  // silence before the first probe
  std::uint32_t keepalive_interval_s = 10;
  std::uint32_t keepalive_count = 6;  // unanswered probes, then the connection is lost
  std::uint32_t user_timeout_ms = 0;  // what was sent may stay unacknowledged so long
};

enum class ServerTlsMode { disable, prefer, require, verify_ca, verify_full };

// Of [server]: TLS towards PostgreSQL, as libpq has it.
struct ServerTls {
  ServerTlsMode mode = ServerTlsMode::disable;  // sslmode
  bool is_direct =
      false;  // sslnegotiation = "direct": begins with the handshake, not with an SSLRequest
  NamedFile
      root_certificate;  // root_certificate = "": PEM file of whom we believe; empty: the system's
  NamedFile crl;         // crl = "": PEM file of what they have revoked; needs root_certificate
  CertificateFiles own;  // certificate, key: who the proxy is; both or neither
  std::string origin;    // of `mode`
};

struct Server {  // [server]: where PostgreSQL is
  // A host (IP literal, "localhost" or a name of DNS), or a directory (begins with '/') that holds its Unix socket.
  std::string host = "127.0.0.1";           // host
  std::uint16_t port = 5432;                // port
  std::uint32_t connect_timeout_ms = 5000;  // connect_timeout_ms, 1..600000
  std::uint32_t dns_ttl_s = 30;  // dns_ttl_s, 1..86400: how long a name keeps its addresses
  ServerTls tls;
};

// Who may use the admin interface, and for what.
struct AdminToken {       // [[admin.tokens]]
  std::string name;       // name: for the log, unique
  std::string sha256;     // sha256: 64 hex digits, of the token; or
  std::string file;       // file: one that holds the token. Relative to the config file.
  bool may_read = false;  // scopes = ["read", "write"]
  bool may_write = false;
  std::vector<std::string> namespaces;  // namespaces = []: whose keys it is for; empty: everything
  std::string origin;
};

struct AdminLimits {  // [admin.limits]
  std::uint64_t max_body_bytes = 8ULL << 20;
  std::uint32_t max_header_bytes = 64U << 10;  // request line and header lines together
  std::uint32_t max_connections = 256;
  std::uint32_t max_peer_connections = 64;      // from one address; of IPv6, from one /64
  std::uint32_t handshake_timeout_ms = 10'000;  // of TLS
  std::uint32_t request_timeout_ms = 15'000;    // for a whole request, from its first byte
  std::uint32_t response_timeout_ms = 15'000;   // for a whole response
  std::uint32_t idle_timeout_ms = 60'000;  // between two requests; longer than scrape intervals
};

struct Admin {  // [admin]
  // addresses = ["127.0.0.1:9090", "[::1]:9090"]; [] = no admin server. See check_admin().
  std::vector<Address> addresses;
  bool is_default = true;
  std::string origin;
  CertificateFiles tls;            // tls_certificate, tls_key: both or neither
  bool allow_plaintext = false;    // beyond loopback without TLS
  std::vector<AdminToken> tokens;  // none: everybody on the machine may do everything
  AdminLimits limits;
};

// What to do with a case that the proxy cannot decide by itself.
enum class Policy { deny, allow };

struct Protocol {  // [protocol]
  // function_call = "deny" | "pass": FunctionCall messages, which have no text that a hook could judge,
  // while a plugin with pre_query is loaded.
  Policy function_call = Policy::deny;
  // execute_arguments = "deny" | "text": SQL EXECUTE with arguments that are not constants, so that hooks
  // cannot be shown them as parameters, while a plugin with pre_query is loaded. "text": it is enough that they
  // stand in the EXECUTE's text, as in that of any other statement.
  Policy execute_arguments = Policy::allow;
  // unparsed = "deny" | "allow": texts that the proxy cannot read while a pre_query plugin is loaded.
  Policy unparsed = Policy::deny;
  // replication = "deny" | "pass": replication connections, which hooks do not see, where a plugin
  // folder is configured.
  Policy replication = Policy::deny;
  std::uint64_t max_query_bytes = 16ULL << 20;  // of one Query, Parse or Bind, which are seen whole
};

struct Tenant {  // [tenant]
  // unknown = "deny" | "allow": statements whose tenant the proxy cannot know (set_config with
  // arguments that are not constants). allow runs their hooks without a tenant.
  Policy unknown = Policy::deny;
  // setters = ["*"]: users (patterns) who may set helios.tenant_id, when connecting or by SQL.
  std::vector<std::string> setters = {"*"};
  // required = false: true refuses what has no tenant, because there is none or nobody knows it. Statements that
  // only manage the session, and a SELECT that does nothing but set the tenant, pass.
  bool required = false;
};

struct Identity {  // [identity]
  // [[identity.rules]], or [[tenant.rules]], never both. The first that fits a client counts, and no other.
  std::vector<IdentityRule> rules;
};

struct Limits {                                // [limits]; 0 = none, where it is allowed
  std::uint32_t max_connections = 1000;        // client connections, all together
  std::uint32_t max_user_connections = 0;      // of one user
  std::uint32_t max_database_connections = 0;  // to one database
  // Logins under way, from connecting to the first ReadyForQuery: all together, and of one address (of IPv6, of one /64), or of
  // one OS user on the Unix socket. Of one address, 0 is half of max_connections, 16 at least.
  std::uint32_t max_logins_under_way = 0;
  std::uint32_t max_address_logins_under_way = 0;
  // So many logins of one user from one address may fail within the window before the next ones have to wait, 0 = any number;
  // first so long, then twice as long each time. See auth/failed_logins.hpp.
  std::uint32_t failed_logins = 10;
  std::uint32_t failed_login_window_s = 600;
  std::uint32_t failed_login_delay_ms = 500;
  std::uint32_t failed_login_max_delay_ms = 4000;
  std::uint32_t login_timeout_ms = 60000;  // from connecting to the first ReadyForQuery
  std::uint32_t idle_timeout_ms = 0;       // between transactions
  std::uint32_t idle_in_transaction_timeout_ms = 0;
  std::uint32_t query_timeout_ms = 0;  // of one message, until its answer is complete

  std::uint32_t max_message_bytes = 0x3FFFFFFF;    // one message of a client, hooked or not
  std::uint32_t max_query_statements = 10000;      // of one Query that hooks are shown
  std::uint32_t max_prepared_statements = 10000;   // of one session, and as many portals
  std::uint32_t max_unsettled_statements = 10000;  // of one session, see docs/protocol.md
  // What the proxy holds of bytes and bookkeeping: for one session, and for all together.
  std::uint32_t max_session_memory_kb = 131'072;
  std::uint32_t max_total_memory_mb = 1024;
};

struct PluginLimits {            // [plugins.limits]: defaults and caps for every plugin
  std::uint32_t memory_mb = 16;  // linear memory of one instance, 1..256
  std::uint32_t table_elements = 4096;
  std::uint32_t module_kb = 4096;             // size of the .wasm file
  std::uint32_t compile_timeout_ms = 60'000;  // to compile it, when it is loaded, 1..3600000
  std::uint32_t timeout_ms = 100;             // of one hook call, on the slow lane, 1..60000
  std::uint32_t output_kb = 1024;             // answer of one hook call
  // A plugin whose calls for one caller have faulted so often in a row is not run for that caller for
  // backoff_ms, then tried; each further fault doubles that, up to backoff_max_ms. 0 = never.
  std::uint32_t backoff_after_faults = 10;  // 0..1000000
  std::uint32_t backoff_ms = 1000;          // 1..3600000
  std::uint32_t backoff_max_ms = 60'000;    // 1..3600000
  bool operator==(const PluginLimits&) const = default;
};

// A plugin without which nothing may be served.
struct RequiredPlugin {
  std::string name;
  std::string sha256;           // of its module's file, 64 hex digits in lower case; empty: any
  std::string manifest_sha256;  // likewise of its manifest
  std::string origin;
};

struct Plugins {          // [plugins]
  std::string directory;  // directory = ""; empty: no plugins. Relative to the config file.
  std::string origin;     // of `directory`
  std::vector<std::string> optional;  // names of plugins whose load failure does not stop the start
  std::string optional_origin;
  // required = []: names, or tables { name = "...", sha256 = "...", manifest_sha256 = "..." }. Start and reload are refused
  // while one of them is absent, cannot be loaded, has another SHA-256, or goes on without a verdict
  // (on_error = "allow").
  std::vector<RequiredPlugin> required;
  std::uint32_t slow_lane_threads = 2;      // 1..64
  std::uint32_t pool_instances = 256;       // instances alive at once, all plugins, 8..4096
  std::uint32_t memory_reservation_mb = 0;  // address space per instance slot; 0 = engine's default
  PluginLimits limits;
};

struct Kv {  // [kv]
  std::uint64_t max_key_bytes = 64 * 1024;
  std::uint64_t max_value_bytes = 64 * 1024;
  std::uint64_t max_keys_per_namespace = 1'000'000;
  std::uint64_t max_bytes_per_namespace = 256ULL << 20;
  std::uint64_t max_total_bytes = 1ULL << 30;
  std::uint64_t max_record_bytes = 1ULL << 20;   // one record of a stream
  std::uint64_t max_streams_per_namespace = 64;  // streams of one plugin
  std::uint64_t max_ring_bytes = 16ULL << 20;    // of one plugin's streams, without a directory
};

// What survives of a namespace: docs/state.md.
enum class Durability { memory, relaxed, strict };

// Where the last record of a stream is written down now and then, so that nobody can make the stream anew.
struct StateAnchor {             // [[state.anchors]]
  std::string stream;            // stream = "audit-chain/trail": NAMESPACE/STREAM
  std::uint32_t every_s = 3600;  // every_s
  std::string file;              // file: a line for each is added to it; or
  std::string url;               // url: each is posted to it. https:// only
  std::string token_file;        // token_file: of a secret to send along. As admin.tokens.file
  std::string ca_file;  // ca_file: PEM, of who may have signed its certificate; empty: the system's
  std::string origin;
  bool operator==(const StateAnchor&) const = default;
};

struct State {            // [state]: where plugin state is kept
  std::string directory;  // directory = "": in memory only. Relative to the config file.
  Durability durability = Durability::relaxed;  // durability = "memory" | "relaxed" | "strict"
  // salvage = false: true opens a directory that is damaged, up to the damage.
  bool salvage = false;
  std::string
      backups;  // backups = "": folder for copies; none are made. Relative to the config file.
  std::uint64_t max_stream_bytes = 16ULL << 30;  // on disk, of all streams; a reload changes it
  // archive = "": folder to which the oldest records of streams move; none do. Relative to the config file.
  std::string archive;
  std::uint64_t archive_above_bytes = 1ULL << 30;  // that all streams hold: what is more moves
  std::uint32_t archive_after_days = 0;            // what is older moves; 0 = none for its age
  std::uint32_t archive_keep_days = 0;             // what is older is removed; 0 = nothing is
  std::vector<StateAnchor> anchors;                // a reload changes them
  // [state.namespaces]: the class of one, whatever its plugin asks for
  std::vector<std::pair<std::string, Durability>> namespaces;
  bool operator==(const State&) const = default;
};

struct KvSql {                           // [kv_sql]: helios.kv() in SQL
  std::vector<std::string> readers;      // readers = []: users who may read; nobody by default
  std::uint64_t max_bytes = 4ULL << 20;  // of the row source that one statement is given
};

enum class LogLevel { debug, info, warning, error };

struct Logging {  // [log]
  LogLevel level = LogLevel::info;
};

struct Shutdown {                          // [shutdown]
  std::uint32_t drain_timeout_ms = 30000;  // sessions that are still busy then are cut
};

struct Config {
  Listen listen;
  Tls tls;
  Auth auth;
  Tcp tcp;
  Server server;
  Admin admin;
  Protocol protocol;
  Identity identity;
  Tenant tenant;
  Limits limits;
  Plugins plugins;
  Kv kv;
  State state;
  KvSql kv_sql;
  Logging log;
  Shutdown shutdown;
  std::string file_sha256;  // of the file that it was read from, in hex; empty: of none
};

// The configuration of a proxy that nobody configured: what an empty file gives.
[[nodiscard]] Config default_config();

// Reads TOML. `file_name` is for messages only. Errors: invalid; the message has one line
// "FILE:LINE: key: what is wrong" for each unknown key, wrong type and bad value, in the order of the file, or one for
// the first error of syntax.
[[nodiscard]] base::Result<Config> parse_config(std::string_view text, std::string_view file_name);

// Reads the file, then parse_config. Relative paths inside become relative to the file's folder.
[[nodiscard]] base::Result<Config> load_config(const std::string& path);

// "127.0.0.1:6432" or "[::1]:6432". Errors: invalid.
[[nodiscard]] base::Result<Address> parse_address(std::string_view text);

// The reverse of parse_address.
[[nodiscard]] std::string to_string(const Address& address);

// Whether the admin interface may listen where it is told to: an address beyond loopback needs
// tokens, and TLS unless plaintext is allowed. Errors: invalid; the message names the address.
[[nodiscard]] base::Result<void> check_admin(const Admin& admin);

// True for 127.0.0.0/8 and ::1.
[[nodiscard]] bool is_loopback(const Address& address);

// Where a server is, in one word: "127.0.0.1:5432", "[::1]:5432", "localhost:5432", or
// "/var/run/postgresql:5432" for a Unix socket; without a port, 5432. Errors: invalid.
[[nodiscard]] base::Result<Server> parse_server(std::string_view text);

// "debug", "info", "warning" or "error". Errors: invalid.
[[nodiscard]] base::Result<LogLevel> parse_log_level(std::string_view word);

// Is `host` something that Server::host may be? Errors: invalid; the message says what it must be.
[[nodiscard]] base::Result<void> check_server_host(std::string_view host);

// Is it a name that has to be looked up? Requires: it may be Server::host.
[[nodiscard]] bool is_dns_name(std::string_view host);

}  // namespace helios::config
