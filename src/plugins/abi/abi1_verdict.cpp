// SPDX-License-Identifier: Apache-2.0
#include "plugins/abi/abi1_verdict.hpp"

#include "base/text.hpp"
#include "plugins/abi/abi1_answer.hpp"
#include "plugins/abi/client_text.hpp"
#include "plugins/abi/verdict_rules.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace helios::plugins {

namespace {

namespace json = boost::json;

constexpr std::size_t kMaxDepth = 16;

std::unexpected<base::Error> invalid(std::string message) {
  return base::fail(base::Errc::invalid, std::move(message));
}

std::optional<std::string_view> text_of(const json::object& object, std::string_view field) {
  const json::value* const value = object.if_contains(field);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string_view(value->get_string());
}

base::Result<hooks::Verdict> block(const json::object& object,
                                   std::optional<std::string_view> reason) {
  hooks::Verdict verdict;
  verdict.action = hooks::Verdict::Action::block;
  verdict.text = client_text(reason.value_or("no reason given"));
  if (object.if_contains("sqlstate") != nullptr) {
    const auto state = text_of(object, "sqlstate");
    if (!state || !is_error_state(*state))
      return invalid("\"sqlstate\" is not five digits or capital letters, of an error");
    verdict.sqlstate = *state;
  }
  verdict.detail = client_text(text_of(object, "detail").value_or(""));
  verdict.hint = client_text(text_of(object, "hint").value_or(""));
  return verdict;
}

base::Result<hooks::Verdict> rewrite(std::optional<std::string_view> sql) {
  if (!sql || sql->empty()) return invalid("a rewrite without the new statement");
  if (sql->find('\0') != std::string_view::npos)
    return invalid("a rewrite that contains a NUL byte");
  hooks::Verdict verdict;
  verdict.action = hooks::Verdict::Action::rewrite;
  verdict.text = *sql;
  return verdict;
}

// The rows are JSON inside JSON: a list of bytes, or the same as a string.
std::optional<std::string> bytes_of(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  if (!value.is_array()) return std::nullopt;
  std::string bytes;
  bytes.reserve(value.get_array().size());
  for (const json::value& element : value.get_array()) {
    const std::int64_t* const number = element.if_int64();
    if (number == nullptr || *number < 0 || *number > 255) return std::nullopt;
    bytes.push_back(static_cast<char>(*number));
  }
  return bytes;
}

base::Result<hooks::Verdict> cached(const json::object& object) {
  const json::value* data = object.if_contains("data");
  if (data == nullptr) data = object.if_contains("bytes");
  const auto bytes = data == nullptr ? std::nullopt : bytes_of(*data);
  if (!bytes) return invalid("\"cached\" without its rows (\"data\": a list of bytes)");
  auto answer = abi1_answer(*bytes);
  if (!answer) return std::unexpected(answer.error());
  hooks::Verdict verdict;
  verdict.action = hooks::Verdict::Action::answer;
  verdict.answer = std::make_shared<const hooks::Answer>(std::move(*answer));
  return verdict;
}

base::Result<hooks::Verdict> decode(const json::object& object) {
  const auto word = text_of(object, object.if_contains("action") != nullptr ? "action" : "kind");
  if (!word) return invalid("neither \"action\" nor \"kind\" says what to do");
  const auto text = [&](std::string_view field) {
    const auto value = text_of(object, "value");
    return value ? value : text_of(object, field);
  };
  if (*word == "continue") return hooks::Verdict{};
  if (*word == "block") return block(object, text("reason"));
  if (*word == "rewrite") return rewrite(text("sql"));
  if (*word == "cached") return cached(object);
  return invalid("unknown action \"" + base::escape_for_log(*word, 40) + "\"");
}

}  // namespace

base::Result<hooks::Verdict> abi1_verdict(std::string_view text) {
  // What nearly every statement is answered with.
  if (text == R"({"action":"continue"})" || text == R"({"kind":"continue"})")
    return hooks::Verdict{};
  std::array<unsigned char, 4096> buffer;
  json::monotonic_resource memory(buffer.data(), buffer.size());
  json::parse_options options;
  options.max_depth = kMaxDepth;
  json::error_code error;
  const json::value value = json::parse(text, error, &memory, options);
  if (error) return invalid("not JSON: " + error.message());
  if (!value.is_object()) return invalid("not a JSON object");
  return decode(value.get_object());
}

}  // namespace helios::plugins
