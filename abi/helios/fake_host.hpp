// SPDX-License-Identifier: Apache-2.0
#pragma once

// The proxy's side of ABI 2 as plain C++, for unit tests of plugins and for debuggers. Include it in one
// file of a native test program that also compiles the plugin; never in a plugin itself.
//
//   FakeHost host;
//   host.state["acme"] = "41";
//   host.pre_query(FakeQuery("SELECT 1").tenant("acme"));   // "" = let it run, else why not
//   EXPECT_EQ(host.state["acme"], "42");
//
// One FakeHost at a time; the imports of the plugin belong to the one made last. Calls are not
// transactions: each write is there at once. Time stands still until a test changes `now_ms`.

#include "helios/detail/fake_query.hpp"
#include "helios/detail/sha256.hpp"
#include "helios/plugin.hpp"

#include <cstring>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <stdint.h>

// Defined by HELIOS_PRE_QUERY and its like in the plugin. A test that calls a hook which the plugin does
// not have is not linked.
extern "C" {
int32_t helios_guest_pre_query();
int32_t helios_guest_post_query();
int32_t helios_guest_settled();
int32_t helios_guest_check_write();
int32_t helios_guest_event();
}

namespace helios::plugin {

inline std::string to_std(StringView text) { return {text.data(), text.size()}; }
inline StringView from_std(std::string_view text) { return {text.data(), text.size()}; }

class FakeHost {
 public:
  struct Given {
    Verdict::Action action = Verdict::Action::proceed;
    std::string text;  // the reason, or the new statement
    std::string sqlstate;
    std::vector<std::string> columns;
    std::vector<std::optional<std::string>> values;  // row by row
  };

  FakeHost() { current() = this; }
  ~FakeHost() { current() = nullptr; }
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;

  std::map<std::string, std::string> state;      // the plugin's namespace
  std::map<std::string, int64_t> expires_at_ms;  // of keys in it; those that are not here never do
  std::map<std::string, std::vector<std::string>> streams;  // record by record
  int64_t now_ms = 1'700'000'000'000;
  size_t max_value_bytes = 65536;     // larger ones are refused
  size_t max_record_bytes = 1048576;  // the same
  Given verdict;                      // of the last pre_query
  std::string detail;                 // what it said with explain(), as below
  std::string hint;
  std::optional<int64_t> max_rows;  // what limit_rows() and limit_bytes() have said
  std::optional<int64_t> max_bytes;
  std::string scratch;
  bool skips_settled = false;  // said the last post_query
  std::vector<std::string> log;
  std::map<std::string, int64_t> metrics;

  // The text of the plugin's verdict, "" for none; `verdict` has all of it.
  std::string pre_query(const FakeQuery& asked) {
    verdict = {};
    detail.clear();
    hint.clear();
    max_rows.reset();
    max_bytes.reset();
    call(asked, helios_guest_pre_query);
    return verdict.text;
  }
  void post_query(const FakeQuery& asked, const FakeOutcome& outcome) {
    FakeQuery ended = asked;
    outcome.write_to(ended);
    skips_settled = false;
    call(ended, helios_guest_post_query);
  }
  void settled(const FakeQuery& asked, int64_t settlement) {
    FakeQuery ended = asked;
    // A test may have written another one already.
    if (ended.numbers.count(HELIOS_OUTCOME) == 0) FakeOutcome().write_to(ended);
    ended.numbers[HELIOS_SETTLEMENT] = settlement;
    call(ended, helios_guest_settled);
  }

  // Why the plugin refuses to have a key set, "" when it does not.
  std::string check_write(const std::string& key, const std::string& value) {
    verdict = {};
    FakeQuery write("");
    write.texts = {{HELIOS_WRITE_KEY, key}, {HELIOS_WRITE_VALUE, value}};
    write.numbers.clear();
    is_judging_write_ = true;
    call(write, helios_guest_check_write);
    is_judging_write_ = false;
    return verdict.text;
  }
  void event(const std::string& kind, const std::string& json) {
    FakeQuery happened("");
    happened.texts = {{HELIOS_EVENT_KIND, kind}, {HELIOS_EVENT_DETAIL, json}};
    happened.numbers.clear();
    call(happened, helios_guest_event);
  }
  // A hook that only judges what somebody else wants to write changes nothing.
  [[nodiscard]] bool may_write() const { return !is_judging_write_; }

  static FakeHost*& current() {
    static FakeHost* host = nullptr;
    return host;
  }
  static FakeHost& require() {
    if (current() == nullptr)
      throw std::logic_error("a plugin's import was called without a FakeHost");
    return *current();
  }
  [[nodiscard]] const FakeQuery& query() const {
    if (query_ == nullptr) throw std::logic_error("a plugin asked about a call outside of one");
    return *query_;
  }

  // The version of a key that is there: that of the call which wrote it last, or HELIOS_VERSION_OWN.
  [[nodiscard]] uint64_t version(const std::string& key) const {
    const auto found = versions_.find(key);
    if (found == versions_.end()) return 1;  // a test has put it there
    return found->second == call_ ? HELIOS_VERSION_OWN : found->second;
  }
  void note_write(const std::string& key) { versions_[key] = call_; }

 private:
  void call(const FakeQuery& asked, int32_t (*hook)()) {
    query_ = &asked;
    const int32_t code = hook();
    query_ = nullptr;
    ++call_;
    if (code != 0) throw std::runtime_error("the hook returned " + std::to_string(code));
  }

  const FakeQuery* query_ = nullptr;
  bool is_judging_write_ = false;
  uint64_t call_ = 2;
  std::map<std::string, uint64_t> versions_;
};

namespace detail {

inline int32_t fake_copy(const std::string& value, char* out, uint32_t out_max) {
  if (value.size() > out_max) return HELIOS_TOO_SMALL;
  value.copy(out, value.size());
  return static_cast<int32_t>(value.size());
}

inline int32_t fake_copy_part(const std::string& value, uint32_t from, char* out,
                              uint32_t out_max) {
  return from >= value.size() ? 0 : static_cast<int32_t>(value.copy(out, out_max, from));
}

inline int32_t fake_digest(const std::string& value, char* out) {
  const std::string digest = sha256_hex_of(value);
  return static_cast<int32_t>(digest.copy(out, digest.size()));
}

template <class Map, class Key>
const typename Map::mapped_type* fake_find(const Map& map, const Key& key) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : &found->second;
}

// A text without secrets is the text itself unless the test says what is left of it.
inline const std::string* fake_text(uint32_t field) {
  static const std::map<uint32_t, uint32_t> kSources{
      {HELIOS_REDACTED_TEXT, HELIOS_TEXT},
      {HELIOS_REDACTED_EXECUTE_TEXT, HELIOS_EXECUTE_TEXT},
      {HELIOS_REDACTED_ERROR_MESSAGE, HELIOS_ERROR_MESSAGE}};
  const auto& texts = FakeHost::require().query().texts;
  const std::string* text = fake_find(texts, field);
  const uint32_t* source = fake_find(kSources, field);
  return text == nullptr && source != nullptr ? fake_find(texts, *source) : text;
}

}  // namespace detail
}  // namespace helios::plugin

// The imports. `used`: the plugin that calls them may be in another file.
#define HELIOS_FAKE __attribute__((used)) inline

extern "C" {

HELIOS_FAKE int32_t helios_field(uint32_t field, char* out, uint32_t out_max) {
  using namespace helios::plugin;
  const auto* text = detail::fake_text(field);
  return text == nullptr ? HELIOS_MISSING : detail::fake_copy(*text, out, out_max);
}

HELIOS_FAKE int32_t helios_field_length(uint32_t field) {
  using namespace helios::plugin;
  const auto* text = detail::fake_text(field);
  return text == nullptr ? HELIOS_MISSING : static_cast<int32_t>(text->size());
}

HELIOS_FAKE int32_t helios_field_part(uint32_t field, uint32_t from, char* out, uint32_t out_max) {
  using namespace helios::plugin;
  const auto* text = detail::fake_text(field);
  return text == nullptr ? HELIOS_MISSING : detail::fake_copy_part(*text, from, out, out_max);
}

HELIOS_FAKE int32_t helios_field_sha256_hex(uint32_t field, char* out) {
  using namespace helios::plugin;
  const auto* text = detail::fake_text(field);
  return text == nullptr ? HELIOS_MISSING : detail::fake_digest(*text, out);
}

HELIOS_FAKE int32_t helios_field_number(uint32_t field, int64_t* out) {
  using namespace helios::plugin;
  const auto* number = detail::fake_find(FakeHost::require().query().numbers, field);
  if (number == nullptr) return HELIOS_MISSING;
  *out = *number;
  return HELIOS_OK;
}

HELIOS_FAKE int32_t helios_attribute(const char* name, uint32_t name_len, char* out,
                                     uint32_t out_max) {
  using namespace helios::plugin;
  const auto* value =
      detail::fake_find(FakeHost::require().query().attributes, std::string(name, name_len));
  return value == nullptr ? HELIOS_MISSING : detail::fake_copy(*value, out, out_max);
}

HELIOS_FAKE int32_t helios_get_parameter_kind(uint32_t index, helios_parameter_kind* out) {
  const auto& query = helios::plugin::FakeHost::require().query();
  if (index >= query.parameters.size()) return HELIOS_MISSING;
  const auto& [type_oid, value] = query.parameters[index];
  *out = {type_oid, query.binary.count(index) != 0 ? 1U : 0U,
          value ? static_cast<int32_t>(value->size()) : -1};
  return HELIOS_OK;
}

HELIOS_FAKE int32_t helios_get_parameter(uint32_t index, char* out, uint32_t out_max) {
  const auto& parameters = helios::plugin::FakeHost::require().query().parameters;
  if (index >= parameters.size()) return HELIOS_MISSING;
  const auto& value = parameters[index].second;
  return value ? helios::plugin::detail::fake_copy(*value, out, out_max) : HELIOS_UNMET;
}

HELIOS_FAKE int32_t helios_get_parameter_part(uint32_t index, uint32_t from, char* out,
                                              uint32_t out_max) {
  const auto& parameters = helios::plugin::FakeHost::require().query().parameters;
  if (index >= parameters.size()) return HELIOS_MISSING;
  const auto& value = parameters[index].second;
  return value ? helios::plugin::detail::fake_copy_part(*value, from, out, out_max) : HELIOS_UNMET;
}

HELIOS_FAKE int32_t helios_get_parameter_sha256_hex(uint32_t index, char* out) {
  const auto& parameters = helios::plugin::FakeHost::require().query().parameters;
  if (index >= parameters.size()) return HELIOS_MISSING;
  const auto& value = parameters[index].second;
  return value ? helios::plugin::detail::fake_digest(*value, out) : HELIOS_UNMET;
}

// No HMAC, but as different for different values.
HELIOS_FAKE int32_t helios_get_parameter_hmac_hex(uint32_t index, char* out) {
  const auto& parameters = helios::plugin::FakeHost::require().query().parameters;
  if (index >= parameters.size()) return HELIOS_MISSING;
  const auto& value = parameters[index].second;
  return value ? helios::plugin::detail::fake_digest("hmac of " + *value, out) : HELIOS_UNMET;
}

HELIOS_FAKE int32_t helios_scratch_set(const char* bytes, uint32_t length) {
  if (length > HELIOS_SCRATCH_BYTES) return HELIOS_LIMIT;
  helios::plugin::FakeHost::require().scratch.assign(bytes, length);
  return HELIOS_OK;
}

HELIOS_FAKE int32_t helios_scratch_get(char* out, uint32_t out_max) {
  return helios::plugin::detail::fake_copy(helios::plugin::FakeHost::require().scratch, out,
                                           out_max);
}

HELIOS_FAKE int32_t helios_skip_settled() {
  auto& host = helios::plugin::FakeHost::require();
  if (host.query().numbers.count(HELIOS_SETTLEMENT) == 0) return HELIOS_UNMET;
  host.skips_settled = true;
  return HELIOS_OK;
}

HELIOS_FAKE int32_t helios_block(const char* reason, uint32_t reason_len, const char* sqlstate,
                                 uint32_t sqlstate_len) {
  using namespace helios::plugin;
  FakeHost::require().verdict = {Verdict::Action::block,
                                 std::string(reason, reason_len),
                                 std::string(sqlstate, sqlstate_len),
                                 {},
                                 {}};
  return HELIOS_OK;
}

HELIOS_FAKE int32_t helios_explain(uint32_t part, const char* text, uint32_t text_len) {
  helios::plugin::FakeHost& host = helios::plugin::FakeHost::require();
  if (part != HELIOS_EXPLAIN_DETAIL && part != HELIOS_EXPLAIN_HINT) return HELIOS_INVALID;
  (part == HELIOS_EXPLAIN_DETAIL ? host.detail : host.hint).assign(text, text_len);
  return HELIOS_OK;
}

HELIOS_FAKE int32_t helios_rewrite(const char* sql, uint32_t sql_len) {
  using namespace helios::plugin;
  FakeHost::require().verdict = {Verdict::Action::rewrite, std::string(sql, sql_len), {}, {}, {}};
  return HELIOS_OK;
}

HELIOS_FAKE int32_t helios_limit_rows(int64_t most) {
  auto& limit = helios::plugin::FakeHost::require().max_rows;
  limit = most < 0 ? std::nullopt : std::optional(most);
  return HELIOS_OK;
}

HELIOS_FAKE int32_t helios_limit_bytes(int64_t most) {
  auto& limit = helios::plugin::FakeHost::require().max_bytes;
  limit = most < 0 ? std::nullopt : std::optional(most);
  return HELIOS_OK;
}

HELIOS_FAKE int32_t helios_answer_begin() {
  using namespace helios::plugin;
  FakeHost::require().verdict = {Verdict::Action::answer, {}, {}, {}, {}};
  return HELIOS_OK;
}

HELIOS_FAKE int32_t helios_answer_column(const char* name, uint32_t name_len, uint32_t) {
  helios::plugin::FakeHost::require().verdict.columns.emplace_back(name, name_len);
  return HELIOS_OK;
}

HELIOS_FAKE int32_t helios_answer_value(const char* value, uint32_t value_len) {
  helios::plugin::FakeHost::require().verdict.values.emplace_back(std::string(value, value_len));
  return HELIOS_OK;
}

HELIOS_FAKE int32_t helios_answer_null() {
  helios::plugin::FakeHost::require().verdict.values.emplace_back();
  return HELIOS_OK;
}

HELIOS_FAKE int32_t helios_sha256_hex(const char* input, uint32_t input_len, char* out) {
  return helios::plugin::detail::fake_digest({input, input_len}, out);
}

HELIOS_FAKE int64_t helios_time_now_ms() { return helios::plugin::FakeHost::require().now_ms; }

HELIOS_FAKE int32_t helios_log(uint32_t, const char* line, uint32_t line_len) {
  helios::plugin::FakeHost::require().log.emplace_back(line, line_len);
  return HELIOS_OK;
}

HELIOS_FAKE int32_t helios_metric_add(const char* name, uint32_t name_len, int64_t amount) {
  helios::plugin::FakeHost::require().metrics[std::string(name, name_len)] += amount;
  return HELIOS_OK;
}

}  // extern "C"

#include "helios/detail/fake_state.hpp"
