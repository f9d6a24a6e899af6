// SPDX-License-Identifier: Apache-2.0

#include "config/config.hpp"

#include "base/sha256.hpp"
#include "base/text.hpp"
#include "config/admin_section.hpp"
#include "config/auth_section.hpp"
#include "config/identity_section.hpp"
#include "config/plugins_section.hpp"
#include "config/state_section.hpp"
#include "config/tenant_section.hpp"
#include "config/tls_section.hpp"
#include "config/toml_file.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <utility>

namespace helios::config {
namespace {

constexpr std::uint64_t kKib = 1024;
constexpr std::uint64_t kMib = 1024 * kKib;
constexpr std::uint64_t kGib = 1024 * kMib;

const Words<LogLevel> kLogLevels = {
    {"debug", LogLevel::debug},
    {"info", LogLevel::info},
    {"warning", LogLevel::warning},
    {"error", LogLevel::error},
};

void read_addresses(TomlSection& section, std::vector<Address>& out, bool& is_default,
                    std::string& origin) {
  std::vector<std::string> texts;
  section.texts("addresses", texts);
  if (!section.has("addresses")) {
    return;
  }
  is_default = false;
  origin = section.place("addresses");
  out.clear();
  for (const auto& text : texts) {
    auto address = parse_address(text);
    if (!address) {
      section.add_problem("addresses", base::escape_for_log(text) + ": " + address.error().message);
      continue;
    }
    out.push_back(*std::move(address));
  }
}

// Permissions as for chmod.
void read_mode(TomlSection& section, std::string_view key, std::uint32_t& out) {
  std::string text;
  section.text(key, text);
  if (text.empty()) {
    return;
  }
  std::uint32_t mode = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, mode, 8);
  if (error != std::errc() || stop != end || mode > 0777) {
    section.add_problem(key, R"(must be octal permissions, from "0000" to "0777")");
    return;
  }
  out = mode;
}

void read_unix_socket(TomlSection& section, Listen& out) {
  section.text("unix_socket_dir", out.unix_socket_dir);
  if (!out.unix_socket_dir.empty()) {
    if (!out.unix_socket_dir.starts_with('/')) {
      section.add_problem("unix_socket_dir", "must be an absolute path");
    } else if (const auto checked = check_server_host(out.unix_socket_dir); !checked) {
      section.add_problem("unix_socket_dir", checked.error().message);
    }
    out.unix_socket_origin = section.place("unix_socket_dir");
  }
  section.integer<std::uint16_t>("unix_socket_port", out.unix_socket_port, 0, 65535);
  read_mode(section, "unix_socket_mode", out.unix_socket_mode);
  section.text("unix_socket_group", out.unix_socket_group);
  section.boolean("unix_socket_peer", out.unix_socket_peer);
}

// "*" is none of them: anybody could say who he is.
void read_fronts(TomlSection& section, std::vector<ClientPattern>& out) {
  constexpr std::string_view kKey = "proxy_protocol_from";
  std::vector<std::string> texts;
  section.texts(kKey, texts);
  for (const auto& text : texts) {
    auto pattern = ClientPattern::parse(text);
    if (!pattern || text == "*") {
      section.add_problem(kKey, base::escape_for_log(text) +
                                    ": must be an address, a range of them "
                                    "such as 10.0.0.0/8, or \"local\" for the Unix socket");
      continue;
    }
    out.push_back(*std::move(pattern));
  }
}

void read_listen(TomlSection section, Listen& out) {
  read_addresses(section, out.addresses, out.is_default, out.origin);
  read_fronts(section, out.proxy_protocol_from);
  read_unix_socket(section, out);
  if (section.has_empty_array("addresses")) {
    if (out.unix_socket_dir.empty()) {
      section.add_problem("addresses", "must name at least one address");
    } else if (out.unix_socket_port == 0) {
      section.add_problem("addresses", "is empty: the Unix socket needs unix_socket_port then");
    }
  }
  section.integer("workers", out.workers, 0U, 64U);
  section.choice("engine", out.engine,
                 {{"auto", EngineChoice::automatic},
                  {"io_uring", EngineChoice::io_uring},
                  {"epoll", EngineChoice::epoll}});
  section.finish();
}

void read_tcp(TomlSection section, Tcp& out) {
  constexpr std::uint32_t kMaxSeconds = 32'767;  // MAX_TCP_KEEPIDLE of the kernel
  section.boolean("keepalive", out.keepalive);
  section.integer("keepalive_idle_s", out.keepalive_idle_s, 0U, kMaxSeconds);
  section.integer("keepalive_interval_s", out.keepalive_interval_s, 0U, kMaxSeconds);
  section.integer("keepalive_count", out.keepalive_count, 0U, 127U);
  section.integer("user_timeout_ms", out.user_timeout_ms, 0U, 86'400'000U);
  section.finish();
}

void read_server(TomlSection section, Server& out) {
  section.text("host", out.host);
  if (const auto checked = check_server_host(out.host); section.has("host") && !checked) {
    section.add_problem("host", checked.error().message);
  }
  section.integer<std::uint16_t>("port", out.port, 1, 65535);
  section.integer("connect_timeout_ms", out.connect_timeout_ms, 1U, 600'000U);
  section.integer("dns_ttl_s", out.dns_ttl_s, 1U, 86'400U);
  read_server_tls(section, out.tls);
  section.finish();
}

void read_admin(TomlSection section, Admin& out) {
  read_addresses(section, out.addresses, out.is_default, out.origin);
  read_admin_access(section, out);
  if (const auto checked = check_admin(out); section.has("addresses") && !checked) {
    for (const auto& line : base::split_lines(checked.error().message))
      section.add_problem("addresses", line);
  }
  section.finish();
}

void read_protocol(TomlSection section, Protocol& out) {
  read_policy(section, "function_call", "pass", out.function_call);
  read_policy(section, "execute_arguments", "text", out.execute_arguments);
  read_policy(section, "unparsed", "allow", out.unparsed);
  read_policy(section, "replication", "pass", out.replication);
  section.integer("max_query_bytes", out.max_query_bytes, kKib, kGib - 1);
  section.finish();
}

void read_limits(TomlSection section, Limits& out) {
  constexpr std::uint32_t kDayMs = 86'400'000;
  section.integer("max_connections", out.max_connections, 1U, 1'000'000U);
  section.integer("max_user_connections", out.max_user_connections, 0U, 1'000'000U);
  section.integer("max_database_connections", out.max_database_connections, 0U, 1'000'000U);
  section.integer("max_logins_under_way", out.max_logins_under_way, 0U, 1'000'000U);
  section.integer("max_address_logins_under_way", out.max_address_logins_under_way, 0U, 1'000'000U);
  section.integer("failed_logins", out.failed_logins, 0U, 10'000U);
  section.integer("failed_login_window_s", out.failed_login_window_s, 1U, 86'400U);
  section.integer("failed_login_delay_ms", out.failed_login_delay_ms, 1U, 60'000U);
  section.integer("failed_login_max_delay_ms", out.failed_login_max_delay_ms, 1U, 60'000U);
  section.integer("login_timeout_ms", out.login_timeout_ms, 0U, kDayMs);
  section.integer("idle_timeout_ms", out.idle_timeout_ms, 0U, kDayMs);
  section.integer("idle_in_transaction_timeout_ms", out.idle_in_transaction_timeout_ms, 0U, kDayMs);
  section.integer("query_timeout_ms", out.query_timeout_ms, 0U, kDayMs);
  section.integer("max_message_bytes", out.max_message_bytes, 10'000U, 0x3FFFFFFFU);
  section.integer("max_query_statements", out.max_query_statements, 1U, 1'000'000U);
  section.integer("max_prepared_statements", out.max_prepared_statements, 16U, 1'000'000U);
  section.integer("max_unsettled_statements", out.max_unsettled_statements, 16U, 1'000'000U);
  section.integer("max_session_memory_kb", out.max_session_memory_kb, 256U, 16U << 20);
  section.integer("max_total_memory_mb", out.max_total_memory_mb, 16U, 1U << 20);
  section.finish();
}

void read_kv(TomlSection section, Kv& out) {
  section.integer("max_key_bytes", out.max_key_bytes, std::uint64_t{1}, kMib);
  section.integer("max_value_bytes", out.max_value_bytes, std::uint64_t{1}, 64 * kMib);
  section.integer("max_keys_per_namespace", out.max_keys_per_namespace, std::uint64_t{1},
                  std::uint64_t{1'000'000'000});
  section.integer("max_bytes_per_namespace", out.max_bytes_per_namespace, std::uint64_t{1},
                  1024 * kGib);
  section.integer("max_total_bytes", out.max_total_bytes, std::uint64_t{1}, 1024 * kGib);
  section.integer("max_record_bytes", out.max_record_bytes, std::uint64_t{1}, 8 * kMib);
  section.integer("max_streams_per_namespace", out.max_streams_per_namespace, std::uint64_t{1},
                  std::uint64_t{10'000});
  section.integer("max_ring_bytes", out.max_ring_bytes, std::uint64_t{1}, 64 * kGib);
  section.finish();
}

void read_kv_sql(TomlSection section, KvSql& out) {
  section.texts("readers", out.readers);
  section.integer("max_bytes", out.max_bytes, std::uint64_t{1}, 256 * kMib);
  section.finish();
}

void read_log(TomlSection section, Logging& out) {
  section.choice("level", out.level, kLogLevels);
  section.finish();
}

void read_shutdown(TomlSection section, Shutdown& out) {
  section.integer("drain_timeout_ms", out.drain_timeout_ms, 0U, 3'600'000U);
  section.finish();
}

void read_root(TomlSection root, Config& out) {
  read_listen(root.section("listen"), out.listen);
  read_tls(root.section("tls"), out.tls);
  read_auth(root.section("auth"), out.auth);
  read_tcp(root.section("tcp"), out.tcp);
  read_server(root.section("server"), out.server);
  read_admin(root.section("admin"), out.admin);
  read_protocol(root.section("protocol"), out.protocol);
  read_identity(root.section("identity"), out.identity);
  read_tenant(root.section("tenant"), out.tenant, out.identity);
  read_limits(root.section("limits"), out.limits);
  read_plugins(root.section("plugins"), out.plugins);
  read_kv(root.section("kv"), out.kv);
  read_state(root.section("state"), out.state);
  read_kv_sql(root.section("kv_sql"), out.kv_sql);
  read_log(root.section("log"), out.log);
  read_shutdown(root.section("shutdown"), out.shutdown);
  root.finish();
}

// Paths are written relative to the configuration file.
void read_paths_from(const std::filesystem::path& folder, Config& config) {
  const auto resolve = [&folder](std::string& path) {
    if (!path.empty()) path = (folder / path).lexically_normal().string();
  };
  resolve(config.plugins.directory);
  resolve(config.state.directory);
  resolve(config.state.backups);
  resolve(config.state.archive);
  for (auto& anchor : config.state.anchors) {
    for (std::string* path : {&anchor.file, &anchor.token_file, &anchor.ca_file}) resolve(*path);
  }
  const auto resolve_certificate = [&resolve](CertificateFiles& files) {
    resolve(files.certificate);
    resolve(files.key);
  };
  resolve_certificate(config.admin.tls);
  for (NamedFile* file : {&config.server.tls.root_certificate, &config.server.tls.crl,
                          &config.tls.client_ca, &config.tls.client_crl})
    resolve(file->path);
  resolve_certificate(config.server.tls.own);
  for (auto& files : config.tls.certificates) resolve_certificate(files);
  for (std::string* path : {&config.auth.hba_file, &config.auth.ident_file, &config.auth.user_file,
                            &config.auth.mock_key_file.path})
    resolve(*path);
  for (auto& token : config.admin.tokens) resolve(token.file);
}

}  // namespace

Config default_config() {
  Config config;
  config.listen.addresses = {{"127.0.0.1", 6432}, {"::1", 6432}};
  config.admin.addresses = {{"127.0.0.1", 9090}, {"::1", 9090}};
  return config;
}

base::Result<Config> parse_config(std::string_view text, std::string_view file_name) {
  Problems problems(file_name);
  const auto table = parse_toml(text, problems);
  Config config = default_config();
  if (table) read_root(TomlSection("", &*table, problems), config);
  if (problems.any()) {
    return base::fail(base::Errc::invalid, problems.message());
  }
  return config;
}

base::Result<LogLevel> parse_log_level(std::string_view word) {
  for (const auto& [name, level] : kLogLevels) {
    if (word == name) {
      return level;
    }
  }
  return base::fail(base::Errc::invalid, one_of(kLogLevels));
}

base::Result<Config> load_config(const std::string& path) {
  auto text = read_toml_file(path);
  if (!text) {
    return base::fail(text.error().code, text.error().message);
  }
  auto config = parse_config(*text, path);
  if (config) {
    read_paths_from(std::filesystem::path(path).parent_path(), *config);
    base::Sha256 digest;
    digest.update(*text);
    config->file_sha256 = base::to_hex(digest.finish());
  }
  return config;
}

}  // namespace helios::config
