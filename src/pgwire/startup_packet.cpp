// SPDX-License-Identifier: Apache-2.0
#include "pgwire/startup_packet.hpp"

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "base/text.hpp"

#include <algorithm>

namespace helios::pgwire {
namespace {

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// pg_split_opts() of the server: white space separates, a backslash takes the next byte as it is.
std::vector<std::string> split_options(std::string_view options) {
  std::vector<std::string> words;
  std::size_t at = 0;
  while (true) {
    while (at < options.size() && is_space(options[at])) ++at;
    if (at >= options.size()) return words;
    std::string word;
    for (; at < options.size() && !is_space(options[at]); ++at) {
      if (options[at] == '\\' && ++at >= options.size()) break;
      word.push_back(options[at]);
    }
    words.push_back(std::move(word));
  }
}

using Settings = std::vector<std::pair<std::string, std::string>>;

void put(Settings& settings, std::string name, std::string_view value) {
  const auto same = [&name](const auto& pair) { return pair.first == name; };
  const auto found = std::ranges::find_if(settings, same);
  if (found != settings.end()) {
    found->second = value;
  } else {
    settings.emplace_back(std::move(name), value);
  }
}

// "name=value" of -c and --; ParseLongOption() of the server turns '-' in the name into '_'.
void put_assignment(Settings& settings, std::string_view assignment, std::string_view prefix) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string_view::npos) return;
  std::string name = base::to_lower(assignment.substr(0, equals));
  std::ranges::replace(name, '-', '_');
  if (name.starts_with(prefix)) put(settings, std::move(name), assignment.substr(equals + 1));
}

// Options of the server's own command line that take an argument (getopt string of
// process_postgres_switches()), besides 'c' and '-'.
bool takes_argument(char option) { return std::string_view("BCDdfhkNprStvW").contains(option); }

// Reads one word beginning with '-'; may use up the word after it as an argument.
void read_switches(const std::vector<std::string>& words, std::size_t& index, Settings& settings,
                   std::string_view prefix) {
  const std::string_view word = words[index];
  for (std::size_t at = 1; at < word.size(); ++at) {
    const bool is_setting = word[at] == 'c' || word[at] == '-';
    if (!is_setting && !takes_argument(word[at])) continue;
    std::string_view argument = word.substr(at + 1);
    if (argument.empty() && index + 1 < words.size()) argument = words[++index];
    if (is_setting) put_assignment(settings, argument, prefix);
    return;
  }
}

void read_options(std::string_view options, Settings& settings, std::string_view prefix) {
  const std::vector<std::string> words = split_options(options);
  for (std::size_t i = 0; i < words.size(); ++i) {
    // Where getopt stops, the server refuses what is left over.
    if (words[i].size() < 2 || words[i][0] != '-' || words[i] == "--") return;
    read_switches(words, i, settings, prefix);
  }
}

}  // namespace

std::string ssl_request() {
  std::string packet;
  base::append_i32(packet, 8);
  base::append_i32(packet, kSslRequestCode);
  return packet;
}

std::optional<std::string_view> StartupMessage::find(std::string_view name) const {
  const auto found =
      std::ranges::find(parameters.rbegin(), parameters.rend(), name,
                        [](const auto& pair) -> std::string_view { return pair.first; });
  if (found == parameters.rend()) return std::nullopt;
  return found->second;
}

base::Result<StartupMessage> parse_startup_message(std::string_view body) {
  constexpr const char* kBadLayout =
      "invalid startup packet layout: expected terminator as last byte";
  base::ByteReader reader(body);
  StartupMessage message;
  while (true) {
    const std::string_view name = reader.read_cstring();
    if (!reader.ok()) return base::fail(base::Errc::invalid, kBadLayout);
    if (name.empty()) break;
    const std::string_view value = reader.read_cstring();
    if (!reader.ok()) return base::fail(base::Errc::invalid, kBadLayout);
    message.parameters.emplace_back(name, value);
  }
  if (!reader.finished()) return base::fail(base::Errc::invalid, kBadLayout);
  return message;
}

Settings startup_settings(const StartupMessage& message, std::string_view prefix) {
  Settings settings;
  if (const auto options = message.find("options")) read_options(*options, settings, prefix);
  for (const auto& [name, value] : message.parameters) {
    std::string lower = base::to_lower(name);
    if (lower.starts_with(prefix)) put(settings, std::move(lower), value);
  }
  return settings;
}

}  // namespace helios::pgwire
