// SPDX-License-Identifier: Apache-2.0
#include "cli/json_answer.hpp"

#include <boost/json/parse.hpp>

namespace helios::cli {

namespace json = boost::json;

base::Result<json::object> parse_object(std::string_view text) {
  boost::system::error_code error;
  json::parse_options options;
  options.allow_invalid_utf8 = true;
  const json::value parsed = json::parse(text, error, {}, options);
  if (error || !parsed.is_object()) return base::fail(base::Errc::invalid, "is not a JSON object");
  return parsed.get_object();
}

std::string text_of(const json::object& object, std::string_view name) {
  return std::string(view_of(object, name));
}

std::string_view view_of(const json::object& object, std::string_view name) {
  const json::value* field = object.if_contains(name);
  const json::string* text = field == nullptr ? nullptr : field->if_string();
  return text == nullptr ? std::string_view() : std::string_view(*text);
}

std::optional<std::int64_t> number_of(const json::object& object, std::string_view name) {
  const json::value* field = object.if_contains(name);
  if (field == nullptr || !field->is_number()) return std::nullopt;
  boost::system::error_code error;
  const auto number = field->to_number<std::int64_t>(error);
  return error ? std::nullopt : std::optional(number);
}

}  // namespace helios::cli
