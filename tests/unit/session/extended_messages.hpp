// SPDX-License-Identifier: Apache-2.0
#pragma once

// Messages of the extended protocol as a client and a server send them, and a plugin that writes down
// what it sees.

#include "pgwire/extended.hpp"
#include "session_harness.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace helios::session::test {

inline std::string parse(std::string_view name, std::string_view text) {
  return pgwire::serialize_parse(name, text);
}
// All parameters as text.
inline std::string bind_to(std::string_view portal, std::string_view statement,
                           const std::vector<std::string>& values = {}) {
  std::string part(2, '\0');
  part += static_cast<char>(values.size() >> 8U);
  part += static_cast<char>(values.size());
  for (const std::string& value : values) {
    part += std::string(3, '\0') + static_cast<char>(value.size()) + value;
  }
  return pgwire::serialize_bind(portal, statement, part, {});
}
inline std::string execute(std::string_view portal = "", std::int32_t rows = 0) {
  return pgwire::serialize_execute(portal, rows);
}
inline std::string close_statement(std::string_view name) {
  return pgwire::serialize_close_statement(name);
}
inline std::string sync() { return message('S', ""); }
inline std::string flush() { return message('H', ""); }

inline std::string parsed() { return message('1', ""); }
inline std::string bound() { return message('2', ""); }
inline std::string closed() { return message('3', ""); }
inline std::string suspended() { return message('s', ""); }

inline const std::string kPrivateName = "heliosproxy session-1";
// What makes the server fail in the place of a refused message, and what it answers.
// In the place of whatever is refused.
inline std::string refused_parse() {
  return pgwire::serialize_parse(kPrivateName, "refused by heliosproxy");
}
// In the place of one that would have named nothing, which ends the unnamed statement.
inline std::string refused_unnamed_parse() {
  return pgwire::serialize_parse("", "refused by heliosproxy");
}

// Refuses texts with "forbidden" in them.
struct Witness {
  std::vector<std::string> events;
  std::shared_ptr<NativePlugin> plugin = std::make_shared<NativePlugin>(
      hooks::PluginTraits{.name = "p", .has_pre_query = true, .has_post_query = true});

  Witness() {
    plugin->pre_query = [this](hooks::Call& call) {
      std::string event = "pre " + std::string(call.statement->text);
      for (const hooks::Parameter& parameter : call.statement->parameters) {
        event += " [" + std::string(parameter.value.value_or("null")) + "]";
      }
      events.push_back(event);
      const bool is_forbidden = call.statement->text.find("forbidden") != std::string_view::npos;
      return is_forbidden ? block("no") : hooks::CallResult{};
    };
    plugin->post_query = [this](hooks::Call& call) {
      const auto& statement = *call.statement;
      events.push_back("post " + std::string(statement.text) + " " +
                       std::string(name_of(statement.outcome)) +
                       (statement.rows ? " " + std::to_string(*statement.rows) : ""));
      return hooks::CallResult{};
    };
  }

  static std::string_view name_of(hooks::Outcome outcome) {
    switch (outcome) {
      case hooks::Outcome::executed: return "executed";
      case hooks::Outcome::answered: return "answered";
      case hooks::Outcome::failed: return "failed";
      case hooks::Outcome::refused: return "refused";
      case hooks::Outcome::skipped: return "skipped";
      case hooks::Outcome::lost: return "lost";
      case hooks::Outcome::unknown: return "unknown";
    }
    return "?";
  }

  [[nodiscard]] Options options() const {
    Options options;
    options.plugins = {plugin};
    return options;
  }
};

}  // namespace helios::session::test
