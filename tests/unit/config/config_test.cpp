// SPDX-License-Identifier: Apache-2.0
//
// Every way in which a configuration can be wrong gives a line with file, line and key; a right one
// arrives in the struct.

#include "config/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace helios::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string error_of(std::string_view text) {
  auto config = parse_config(text, "h.toml");
  return config ? "no error" : config.error().message;
}

TEST(Config, empty_text_gives_the_defaults) {
  const auto config = parse_config("", "h.toml");
  ASSERT_TRUE(config);
  EXPECT_THAT(config->listen.addresses,
              ElementsAre(Address{"127.0.0.1", 6432}, Address{"::1", 6432}));
  EXPECT_THAT(config->admin.addresses,
              ElementsAre(Address{"127.0.0.1", 9090}, Address{"::1", 9090}));
  EXPECT_TRUE(config->listen.is_default);
  EXPECT_TRUE(config->admin.is_default);
  EXPECT_EQ(config->listen.origin, "");
  EXPECT_EQ(config->server.port, 5432);
  EXPECT_EQ(config->protocol.function_call, Policy::deny);
  EXPECT_EQ(config->protocol.replication, Policy::deny);
  EXPECT_EQ(config->protocol.execute_arguments, Policy::allow);
}

TEST(Config, whom_to_believe_is_named_by_address) {
  const auto config = parse_config(
      "[listen]\nproxy_protocol_from = [\"10.0.0.0/8\", \"2001:db8::1\", \"local\"]\n", "h.toml");
  ASSERT_TRUE(config) << config.error().message;
  const auto is_believed = [&](std::string_view ip) {
    return std::ranges::any_of(config->listen.proxy_protocol_from,
                               [ip](const auto& each) { return each.fits(ip); });
  };
  EXPECT_TRUE(is_believed("10.200.3.4"));
  EXPECT_TRUE(is_believed("::ffff:10.1.1.1"));
  EXPECT_TRUE(is_believed("2001:db8::1"));
  EXPECT_TRUE(is_believed(""));
  EXPECT_FALSE(is_believed("11.0.0.1"));
  EXPECT_FALSE(is_believed("2001:db8::2"));
  for (const char* wrong : {"*", "10.0.0.1/8", "balancer.example", ""}) {
    EXPECT_THAT(error_of("[listen]\nproxy_protocol_from = [\"" + std::string(wrong) + "\"]\n"),
                HasSubstr("h.toml:2: listen.proxy_protocol_from: "))
        << wrong;
  }
}

TEST(Config, limits_on_logins_arrive_and_have_ranges) {
  const auto config = parse_config(R"([limits]
    max_logins_under_way = 1
    max_address_logins_under_way = 2
    failed_logins = 3
    failed_login_window_s = 4
    failed_login_delay_ms = 5
    failed_login_max_delay_ms = 6
)",
                                   "h.toml");
  ASSERT_TRUE(config) << config.error().message;
  const Limits& limits = config->limits;
  EXPECT_EQ(limits.max_logins_under_way, 1U);
  EXPECT_EQ(limits.max_address_logins_under_way, 2U);
  EXPECT_EQ(limits.failed_logins, 3U);
  EXPECT_EQ(limits.failed_login_window_s, 4U);
  EXPECT_EQ(limits.failed_login_delay_ms, 5U);
  EXPECT_EQ(limits.failed_login_max_delay_ms, 6U);
  EXPECT_THAT(error_of("[limits]\nfailed_login_delay_ms = 0\n"), HasSubstr("must be from 1 to"));
  EXPECT_THAT(error_of("[limits]\nfailed_login_window_s = 0\n"), HasSubstr("must be from 1 to"));
}

TEST(Config, every_key_arrives) {
  const auto config = parse_config(R"(
    [listen]
    addresses = ["127.0.0.1:7000", "[::1]:0"]
    workers = 3
    [server]
    host = "/tmp"
    port = 5433
    connect_timeout_ms = 100
    [admin]
    addresses = []
    [protocol]
    function_call = "pass"
    execute_arguments = "deny"
    replication = "pass"
    unparsed = "allow"
    max_query_bytes = 2048
    [tenant]
    unknown = "allow"
    [plugins]
    directory = "plugins"
    optional = ["a", "b"]
    slow_lane_threads = 4
    pool_instances = 16
    memory_reservation_mb = 32
    [plugins.limits]
    memory_mb = 1
    table_elements = 2
    module_kb = 3
    compile_timeout_ms = 9
    timeout_ms = 4
    output_kb = 5
    backoff_after_faults = 6
    backoff_ms = 7
    backoff_max_ms = 8
    [kv]
    max_key_bytes = 1
    max_value_bytes = 2
    max_keys_per_namespace = 3
    max_bytes_per_namespace = 4
    max_total_bytes = 5
    max_record_bytes = 7
    max_streams_per_namespace = 8
    max_ring_bytes = 9
    [state]
    max_stream_bytes = 10
    directory = "state"
    durability = "strict"
    salvage = true
    [state.namespaces]
    dedup = "memory"
    [kv_sql]
    readers = ["postgres"]
    max_bytes = 6
    [log]
    level = "warning"
    [shutdown]
    drain_timeout_ms = 7
  )",
                                   "h.toml");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_THAT(config->listen.addresses, ElementsAre(Address{"127.0.0.1", 7000}, Address{"::1", 0}));
  EXPECT_FALSE(config->listen.is_default);
  EXPECT_EQ(config->listen.origin, "h.toml:3: listen.addresses");
  EXPECT_EQ(config->listen.workers, 3U);
  EXPECT_EQ(config->server.host, "/tmp");
  EXPECT_EQ(config->server.port, 5433);
  EXPECT_EQ(config->server.connect_timeout_ms, 100U);
  EXPECT_TRUE(config->admin.addresses.empty());
  EXPECT_FALSE(config->admin.is_default);
  EXPECT_EQ(config->protocol.function_call, Policy::allow);
  EXPECT_EQ(config->protocol.execute_arguments, Policy::deny);
  EXPECT_EQ(config->protocol.replication, Policy::allow);
  EXPECT_EQ(config->protocol.unparsed, Policy::allow);
  EXPECT_EQ(config->protocol.max_query_bytes, 2048U);
  EXPECT_EQ(config->tenant.unknown, Policy::allow);
  EXPECT_EQ(config->plugins.directory, "plugins");
  EXPECT_THAT(config->plugins.origin, StartsWith("h.toml:20: plugins.directory"));
  EXPECT_THAT(config->plugins.optional, ElementsAre("a", "b"));
  EXPECT_EQ(config->plugins.slow_lane_threads, 4U);
  EXPECT_EQ(config->plugins.pool_instances, 16U);
  EXPECT_EQ(config->plugins.memory_reservation_mb, 32U);
  EXPECT_EQ(config->plugins.limits.memory_mb, 1U);
  EXPECT_EQ(config->plugins.limits.table_elements, 2U);
  EXPECT_EQ(config->plugins.limits.module_kb, 3U);
  EXPECT_EQ(config->plugins.limits.compile_timeout_ms, 9U);
  EXPECT_EQ(config->plugins.limits.timeout_ms, 4U);
  EXPECT_EQ(config->plugins.limits.output_kb, 5U);
  EXPECT_EQ(config->plugins.limits.backoff_after_faults, 6U);
  EXPECT_EQ(config->plugins.limits.backoff_ms, 7U);
  EXPECT_EQ(config->plugins.limits.backoff_max_ms, 8U);
  EXPECT_EQ(config->kv.max_key_bytes, 1U);
  EXPECT_EQ(config->kv.max_value_bytes, 2U);
  EXPECT_EQ(config->kv.max_keys_per_namespace, 3U);
  EXPECT_EQ(config->kv.max_bytes_per_namespace, 4U);
  EXPECT_EQ(config->kv.max_total_bytes, 5U);
  EXPECT_EQ(config->kv.max_record_bytes, 7U);
  EXPECT_EQ(config->kv.max_streams_per_namespace, 8U);
  EXPECT_EQ(config->kv.max_ring_bytes, 9U);
  EXPECT_EQ(config->state.max_stream_bytes, 10U);
  EXPECT_EQ(config->state.directory, "state");
  EXPECT_EQ(config->state.durability, Durability::strict);
  EXPECT_TRUE(config->state.salvage);
  EXPECT_THAT(config->state.namespaces, ElementsAre(testing::Pair("dedup", Durability::memory)));
  EXPECT_THAT(config->kv_sql.readers, ElementsAre("postgres"));
  EXPECT_EQ(config->kv_sql.max_bytes, 6U);
  EXPECT_EQ(config->log.level, LogLevel::warning);
  EXPECT_EQ(config->shutdown.drain_timeout_ms, 7U);
}

TEST(Config, unix_socket_tcp_and_memory_limits_arrive) {
  const auto config = parse_config(R"(
    [listen]
    addresses = []
    unix_socket_dir = "/run/helios"
    unix_socket_port = 6432
    unix_socket_mode = "0770"
    unix_socket_group = "app"
    unix_socket_peer = true
    [tcp]
    keepalive = false
    keepalive_idle_s = 1
    keepalive_interval_s = 2
    keepalive_count = 3
    user_timeout_ms = 4
    [limits]
    max_message_bytes = 10000
    max_query_statements = 2
    max_prepared_statements = 20
    max_unsettled_statements = 21
    max_session_memory_kb = 256
    max_total_memory_mb = 16
  )",
                                   "h.toml");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_TRUE(config->listen.addresses.empty());
  EXPECT_EQ(config->listen.unix_socket_dir, "/run/helios");
  EXPECT_EQ(config->listen.unix_socket_origin, "h.toml:4: listen.unix_socket_dir");
  EXPECT_EQ(config->listen.unix_socket_port, 6432);
  EXPECT_EQ(config->listen.unix_socket_mode, 0770U);
  EXPECT_EQ(config->listen.unix_socket_group, "app");
  EXPECT_TRUE(config->listen.unix_socket_peer);
  EXPECT_FALSE(config->tcp.keepalive);
  EXPECT_EQ(config->tcp.keepalive_idle_s, 1U);
  EXPECT_EQ(config->tcp.keepalive_interval_s, 2U);
  EXPECT_EQ(config->tcp.keepalive_count, 3U);
  EXPECT_EQ(config->tcp.user_timeout_ms, 4U);
  EXPECT_EQ(config->limits.max_message_bytes, 10'000U);
  EXPECT_EQ(config->limits.max_query_statements, 2U);
  EXPECT_EQ(config->limits.max_prepared_statements, 20U);
  EXPECT_EQ(config->limits.max_unsettled_statements, 21U);
  EXPECT_EQ(config->limits.max_session_memory_kb, 256U);
  EXPECT_EQ(config->limits.max_total_memory_mb, 16U);
}

struct BadCase {
  const char* text;
  const char* message;
};

TEST(Config, wrong_values_are_named_with_line_and_key) {
  const BadCase cases[] = {
      {"\n[server]\nport = 70000\n", "h.toml:3: server.port: must be from 1 to 65535, not 70000"},
      {"[server]\nport = -1\n", "h.toml:2: server.port: must be from 1 to 65535, not -1"},
      {"[server]\nport = \"5432\"\n", "h.toml:2: server.port: must be an integer"},
      {"[server]\nport = 5432.0\n", "h.toml:2: server.port: must be an integer"},
      {"[server]\nhost = 5\n", "h.toml:2: server.host: must be a string"},
      {"[server]\nhost = \"d b\"\n",
       "h.toml:2: server.host: must be an IP address, a host name, or a folder with a Unix "
       "socket"},
      {"[listen]\nworkers = 65\n", "h.toml:2: listen.workers: must be from 0 to 64, not 65"},
      {"[listen]\naddresses = \"127.0.0.1:1\"\n",
       "h.toml:2: listen.addresses: must be an array of strings"},
      {"[listen]\naddresses = [\n\"127.0.0.1:1\",\n2]\n",
       "h.toml:4: listen.addresses: must be an array of strings"},
      {"[listen]\naddresses = []\n", "h.toml:2: listen.addresses: must name at least one address"},
      {"[listen]\nunix_socket_dir = \"run\"\n",
       "h.toml:2: listen.unix_socket_dir: must be an absolute path"},
      {"[listen]\naddresses = []\nunix_socket_dir = \"/run\"\n",
       "h.toml:2: listen.addresses: is empty: the Unix socket needs unix_socket_port then"},
      {"[listen]\nunix_socket_mode = \"0888\"\n",
       "h.toml:2: listen.unix_socket_mode: must be octal permissions, from \"0000\" to \"0777\""},
      {"[listen]\nunix_socket_mode = \"1777\"\n",
       "h.toml:2: listen.unix_socket_mode: must be octal permissions, from \"0000\" to \"0777\""},
      {"[limits]\nmax_session_memory_kb = 1\n",
       "h.toml:2: limits.max_session_memory_kb: must be from 256 to 16777216, not 1"},
      {"[listen]\naddresses = [\"nowhere:1\"]\n",
       "h.toml:2: listen.addresses: nowhere:1: must be an IP address and a port, such as "
       "\"127.0.0.1:6432\" or \"[::1]:6432\""},
      {"[admin]\naddresses = [\"0.0.0.0:9090\"]\n",
       "h.toml:2: admin.addresses: 0.0.0.0:9090: an address beyond loopback needs "
       "[[admin.tokens]]"},
      {"[protocol]\nfunction_call = \"allow\"\n",
       "h.toml:2: protocol.function_call: must be one of \"deny\", \"pass\""},
      {"[protocol]\nfunction_call = true\n", "h.toml:2: protocol.function_call: must be a string"},
      {"[plugins.limits]\nmemory_mb = 0\n",
       "h.toml:2: plugins.limits.memory_mb: must be from 1 to 256, not 0"},
      {"server = 5\n", "h.toml:1: server: must be a table"},
      {"[log]\nlevel = \"loud\"\n",
       "h.toml:2: log.level: must be one of \"debug\", \"info\", \"warning\", \"error\""},
  };
  for (const auto& bad : cases) {
    EXPECT_EQ(error_of(bad.text), bad.message);
  }
}

TEST(Config, engine_is_chosen_by_name) {
  EXPECT_EQ(default_config().listen.engine, EngineChoice::automatic);
  const auto config = parse_config("listen.engine = \"io_uring\"\n", "h.toml");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->listen.engine, EngineChoice::io_uring);
  EXPECT_EQ(error_of("[listen]\nengine = \"kqueue\"\n"),
            "h.toml:2: listen.engine: must be one of \"auto\", \"io_uring\", \"epoll\"");
}

TEST(Config, unknown_keys_are_named_with_those_that_exist) {
  EXPECT_EQ(error_of("[listen]\naddreses = []\n"),
            "h.toml:2: listen.addreses: unknown key; known here: addresses, proxy_protocol_from, "
            "unix_socket_dir, "
            "unix_socket_port, unix_socket_mode, unix_socket_group, unix_socket_peer, workers, "
            "engine");
  EXPECT_THAT(error_of("[sever]\n"),
              StartsWith("h.toml:1: sever: unknown key; known here: listen"));
  EXPECT_EQ(error_of("[plugins.limits]\nmemory = 1\n"),
            "h.toml:2: plugins.limits.memory: unknown key; known here: memory_mb, table_elements, "
            "module_kb, compile_timeout_ms, timeout_ms, output_kb, backoff_after_faults, "
            "backoff_ms, backoff_max_ms");
  EXPECT_EQ(error_of("[tenant]\n\"a\\nb\" = 1\n"),
            "h.toml:2: tenant.a\\x0ab: unknown key; known here: unknown, required, setters, rules");
}

TEST(Config, everything_wrong_is_reported_in_the_order_of_the_file) {
  EXPECT_EQ(error_of("[shutdown]\ndrain_timeout_ms = -1\n[log]\nlevel = 5\n[server]\nport = 0\n"
                     "host = \"d b\"\n"),
            "h.toml:2: shutdown.drain_timeout_ms: must be from 0 to 3600000, not -1\n"
            "h.toml:4: log.level: must be a string\n"
            "h.toml:6: server.port: must be from 1 to 65535, not 0\n"
            "h.toml:7: server.host: must be an IP address, a host name, or a folder with a Unix "
            "socket");
}

TEST(Config, problems_without_end_are_counted) {
  std::string text = "[log]\n";
  for (int i = 0; i < 60; ++i) text += "key" + std::to_string(i) + " = 1\n";
  const std::string message = error_of(text);
  EXPECT_EQ(std::ranges::count(message, '\n'), 50);
  EXPECT_THAT(message, testing::EndsWith("\nh.toml: and 10 more problems"));
}

TEST(Config, required_plugins_are_names_or_tables) {
  const std::string digest(64, 'A');
  const auto config = parse_config(
      "[plugins]\nrequired = [\"one\",\n{ name = \"two\", sha256 = \"" + digest +
          "\", manifest_sha256 = \"" + std::string(64, 'B') + "\" }]\noptional = [\"three\"]\n",
      "h.toml");
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_EQ(config->plugins.required.size(), 2U);
  EXPECT_EQ(config->plugins.required[0].name, "one");
  EXPECT_EQ(config->plugins.required[0].sha256, "");
  EXPECT_EQ(config->plugins.required[0].origin, "h.toml:2: plugins.required");
  EXPECT_EQ(config->plugins.required[1].name, "two");
  EXPECT_EQ(config->plugins.required[1].sha256, std::string(64, 'a'));
  EXPECT_EQ(config->plugins.required[1].manifest_sha256, std::string(64, 'b'));
  EXPECT_EQ(config->plugins.required[1].origin, "h.toml:3: plugins.required");
  EXPECT_EQ(config->plugins.optional_origin, "h.toml:4: plugins.optional");
}

TEST(Config, wrong_requirements_are_named) {
  const BadCase cases[] = {
      {"[plugins]\nrequired = \"a\"\n",
       "h.toml:2: plugins.required: must be an array of strings and tables"},
      {"[plugins]\nrequired = [1]\n",
       "h.toml:2: plugins.required: must be an array of strings and tables"},
      {"[plugins]\nrequired = [\"\"]\n", "h.toml:2: plugins.required: a name must not be empty"},
      {"[plugins]\nrequired = [\"a\", { name = \"a\" }]\n",
       "h.toml:2: plugins.required: \"a\" is there twice"},
      {"[plugins]\noptional = [\"a\"]\nrequired = [\"a\"]\n",
       "h.toml:3: plugins.required: \"a\" is in plugins.optional as well: it is one or the other"},
      {"[plugins]\nrequired = [{ sha256 = \"0\", x = 1 }]\n",
       "h.toml:2: plugins.required.sha256: must be 64 hex digits: sha256sum FILE.wasm\n"
       "h.toml:2: plugins.required.x: unknown key; known here: name, sha256, manifest_sha256\n"
       "h.toml:2: plugins.required: needs a name"},
      {"[plugins]\nrequired = [{ name = \"a\", sha256 = \"0\" }]\n",
       "h.toml:2: plugins.required.sha256: must be 64 hex digits: sha256sum FILE.wasm"},
      {"[plugins]\nrequired = [{ name = \"a\", manifest_sha256 = \"none\" }]\n",
       "h.toml:2: plugins.required.manifest_sha256: must be 64 hex digits: sha256sum FILE.toml, or "
       "of /dev/null where there is none"},
      {"[plugins]\nrequired = [{ name = \"a\", sha = \"0\" }]\n",
       "h.toml:2: plugins.required.sha: unknown key; known here: name, sha256, manifest_sha256"},
  };
  for (const auto& bad : cases) EXPECT_EQ(error_of(bad.text), bad.message);
}

TEST(Config, letters_beyond_ascii_are_letters) {
  const auto config =
      parse_config("# Gr\u00FC\u00DFe \uFEBF\n[tenant]\nsetters = [\"m\u00FCller\"]\n", "h.toml");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->tenant.setters, std::vector<std::string>{"m\u00FCller"});
  EXPECT_THAT(error_of("\uFEBF = 1\n"), StartsWith("h.toml:1: "));
}

TEST(Config, syntax_errors_are_one_line_with_the_line_number) {
  for (const auto* text : {"[server]\nport = \n", "[server]\nport = 1\nport = 2\n", "[a]\n\xff\n",
                           "[= 1\n", "[::1]\n", "a = { = 1 }\n"}) {
    const auto message = error_of(text);
    EXPECT_THAT(message, StartsWith("h.toml:"));
    EXPECT_THAT(message, Not(HasSubstr("no error")));
    EXPECT_THAT(message, Not(HasSubstr("\n")));
  }
  EXPECT_THAT(error_of("[server]\nport = \n"), StartsWith("h.toml:2: "));
}

TEST(Config, unix_socket_folder_too_long_for_its_name_is_refused) {
  EXPECT_EQ(error_of("[listen]\nunix_socket_dir = \"/" + std::string(92, 'd') + "\"\n"),
            "h.toml:2: listen.unix_socket_dir: the folder's name is too long for a Unix socket");
}

}  // namespace
}  // namespace helios::config
