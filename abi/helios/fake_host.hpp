// SPDX-License-Identifier: Apache-2.0
#pragma once

// The proxy's side of ABI 1 as plain C++, for unit tests of plugins. Include it in one file of a
// native test program that also compiles the plugin; never in a plugin itself.
//
//   FakeHost host;
//   host.state["acme"] = "41";
//   host.pre_query(FakeQuery("SELECT 1").tenant("acme"));   // "" = continue, else the JSON answer
//   EXPECT_EQ(host.state["acme"], "42");
//
// One FakeHost at a time; the imports of the plugin belong to the one made last. Calls are not
// transactions: each write is there at once.

#include "helios/detail/sha256.hpp"
#include "helios/plugin.hpp"

#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <stdint.h>

// Defined by HELIOS_PRE_QUERY and HELIOS_POST_QUERY in the plugin. A test that calls a hook which the
// plugin does not have is not linked.
helios::plugin::String helios_native_pre_query(helios::plugin::StringView input);
void helios_native_post_query(helios::plugin::StringView input);

namespace helios::plugin {

inline std::string to_std(StringView text) { return {text.data(), text.size()}; }
inline StringView from_std(std::string_view text) { return {text.data(), text.size()}; }

// Builds the JSON that the proxy would send for a statement.
class FakeQuery {
 public:
  explicit FakeQuery(std::string_view text) : text_(text) {}

  FakeQuery& attribute(const std::string& name, const std::string& value) {
    attributes_[name] = value;
    return *this;
  }
  FakeQuery& tenant(const std::string& id) { return attribute("tenant_id", id); }
  FakeQuery& user(const std::string& name) {
    user_ = name;
    return *this;
  }
  FakeQuery& database(const std::string& name) {
    database_ = name;
    return *this;
  }
  FakeQuery& read_only(bool yes) {
    read_only_ = yes;
    return *this;
  }

  [[nodiscard]] std::string json() const {
    std::string attributes;
    for (const auto& [name, value] : attributes_)
      attributes += (attributes.empty() ? "" : ",") + quoted(name) + ":" + quoted(value);
    return R"({"query":)" + quoted(text_) + R"(,"normalized":)" + quoted(text_) +
           R"(,"tables":[],"is_read_only":)" + (read_only_ ? "true" : "false") +
           R"(,"hook_context":{"request_id":"00000000-0000-4000-8000-000000000001",)" +
           R"("client_id":"00000000-0000-4000-8000-000000000002","identity":)" +
           (user_ ? quoted(*user_) : "null") + R"(,"database":)" +
           (database_ ? quoted(*database_) : "null") + R"(,"branch":null,"attributes":{)" +
           attributes + "}}}";
  }

  static std::string quoted(std::string_view text) { return to_std(json_string(from_std(text))); }

 private:
  std::string text_;
  std::map<std::string, std::string> attributes_;
  std::optional<std::string> user_;
  std::optional<std::string> database_;
  bool read_only_ = false;
};

// What happened to a statement, as the proxy would tell post_query.
struct FakeOutcome {
  std::string outcome = "executed";
  bool success = true;
  int64_t elapsed_us = 1000;
  int64_t response_bytes = 64;
  std::optional<int64_t> rows = std::nullopt;

  [[nodiscard]] std::string json() const {
    return R"({"success":)" + std::string(success ? "true" : "false") +
           R"(,"target_node":null,"elapsed_us":)" + std::to_string(elapsed_us) +
           R"(,"response_bytes":)" + std::to_string(response_bytes) +
           R"(,"error":null,"outcome":)" + FakeQuery::quoted(outcome) + R"(,"rows":)" +
           (rows ? std::to_string(*rows) : "null") + "}";
  }
};

class FakeHost {
 public:
  FakeHost() { current() = this; }
  ~FakeHost() { current() = nullptr; }
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;

  std::map<std::string, std::string> state;  // the plugin's namespace
  int64_t now_ms = 1'700'000'000'000;
  size_t max_value_bytes = 65536;  // larger ones are refused

  // The plugin's answer; "" = continue.
  std::string pre_query(const FakeQuery& query) { return pre_query_json(query.json()); }
  std::string pre_query_json(std::string_view input) {
    return to_std(helios_native_pre_query(from_std(input)));
  }
  void post_query(const FakeQuery& query, const FakeOutcome& outcome) {
    post_query_json("[" + query.json() + "," + outcome.json() + "]");
  }
  void post_query_json(std::string_view input) { helios_native_post_query(from_std(input)); }

  static FakeHost*& current() {
    static FakeHost* host = nullptr;
    return host;
  }
  static FakeHost& require() {
    if (current() == nullptr)
      throw std::logic_error("a plugin's import was called without a FakeHost");
    return *current();
  }
};

}  // namespace helios::plugin

// The imports. `used`: the plugin that calls them may be in another file.
extern "C" {

__attribute__((used)) inline int32_t helios_kv_get(const char* key, uint32_t key_len, char* out,
                                                   uint32_t out_max) {
  const auto& state = helios::plugin::FakeHost::require().state;
  const auto found = state.find(std::string(key, key_len));
  if (found == state.end()) return HELIOS_KV_MISSING;
  if (found->second.size() > out_max) return HELIOS_KV_TOO_SMALL;
  found->second.copy(out, found->second.size());
  return static_cast<int32_t>(found->second.size());
}

__attribute__((used)) inline int32_t helios_kv_set(const char* key, uint32_t key_len,
                                                   const char* value, uint32_t value_len) {
  auto& host = helios::plugin::FakeHost::require();
  if (key_len == 0 || value_len > host.max_value_bytes) return HELIOS_KV_REFUSED;
  host.state[std::string(key, key_len)] = std::string(value, value_len);
  return 0;
}

__attribute__((used)) inline int32_t helios_kv_delete(const char* key, uint32_t key_len) {
  helios::plugin::FakeHost::require().state.erase(std::string(key, key_len));
  return 0;
}

__attribute__((used)) inline int32_t helios_sha256_hex(const char* input, uint32_t input_len,
                                                       char* out) {
  const std::string digest = helios::plugin::detail::sha256_hex_of({input, input_len});
  return static_cast<int32_t>(digest.copy(out, digest.size()));
}

__attribute__((used)) inline int64_t helios_time_now_ms() {
  return helios::plugin::FakeHost::require().now_ms;
}

}  // extern "C"
