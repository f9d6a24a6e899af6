// SPDX-License-Identifier: Apache-2.0
//
// Startup packets: the pairs are those that plain splitting at NUL bytes finds, and `options` means
// what the C library's getopt makes of it with the server's own option string.
// Input: what follows the protocol version; '|' stands for a NUL byte, so that seeds are text.

#include "base/text.hpp"
#include "fuzz/support/fuzz.hpp"
#include "pgwire/startup_packet.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <unistd.h>

namespace helios::fuzz {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;
using Map = std::map<std::string, std::string>;

constexpr std::string_view kPrefix = "helios.";

// name NUL value NUL ... NUL, and nothing behind.
std::optional<Pairs> expected_pairs(std::string_view body) {
  std::vector<std::string> texts;
  std::string text;
  for (const char c : body) {
    if (c != '\0') {
      text.push_back(c);
      continue;
    }
    texts.push_back(std::exchange(text, {}));
  }
  if (!text.empty() || texts.size() % 2 == 0 || !texts.back().empty()) return std::nullopt;
  Pairs pairs;
  for (std::size_t i = 0; i + 1 < texts.size(); i += 2) {
    if (texts[i].empty()) return std::nullopt;
    pairs.emplace_back(texts[i], texts[i + 1]);
  }
  return pairs;
}

// pg_split_opts() of the server (utils/init/postinit.c), byte by byte.
std::vector<std::string> split_options(std::string_view options) {
  std::vector<std::string> words;
  bool in_word = false;
  bool is_escaped = false;
  for (const char c : options) {
    const bool is_space = std::string_view(" \t\n\v\f\r").contains(c) && !is_escaped;
    if (is_space) {
      in_word = false;
      continue;
    }
    if (!in_word) words.emplace_back();
    in_word = true;
    if (c == '\\' && !is_escaped) {
      is_escaped = true;
      continue;
    }
    words.back().push_back(c);
    is_escaped = false;
  }
  return words;
}

// ParseLongOption() of the server (utils/misc/guc.c); false where it would refuse the session.
bool assign(std::string_view option, Map& settings) {
  const std::size_t equals = option.find('=');
  if (equals == std::string_view::npos || equals == 0) return false;
  std::string name(option.substr(0, equals));
  std::ranges::replace(name, '-', '_');
  name = base::to_lower(name);
  if (name.starts_with(kPrefix)) settings[name] = option.substr(equals + 1);
  return true;
}

// process_postgres_switches() of the server (tcop/postgres.c); nullopt where it would refuse the
// session, so that nobody sees what was read.
std::optional<Map> expected_settings(const std::string& options) {
  std::vector<std::string> words = split_options(options);
  std::vector<char*> arguments;
  std::string program = "postgres";
  arguments.push_back(program.data());
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const int count = static_cast<int>(arguments.size()) - 1;
  Map settings;
  opterr = 0;
  optind = 0;  // forget the last input
  while (true) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread
    const int flag =
        getopt(count, arguments.data(), "+B:bC:c:D:d:EeFf:h:ijk:lN:nOPp:r:S:sTt:v:W:-:");
    if (flag == -1) break;
    if (flag == '?') return std::nullopt;
    if ((flag == 'c' || flag == '-') && !assign(optarg, settings)) return std::nullopt;
  }
  if (optind != count) return std::nullopt;
  return settings;
}

void check_settings(const pgwire::StartupMessage& message) {
  const auto settings = pgwire::startup_settings(message, kPrefix);
  Map actual;
  for (const auto& [name, value] : settings) {
    require(name.starts_with(kPrefix), "only names with the prefix");
    require_equal(name, base::to_lower(name), "names in lower case");
    require(actual.emplace(name, value).second, "each name once");
  }
  std::string options;
  for (const auto& [name, value] : message.parameters) {
    if (name == "options") options = value;
  }
  auto expected = expected_settings(options);
  if (!expected) return;
  for (const auto& [name, value] : message.parameters) {
    const std::string lower = base::to_lower(name);
    if (lower.starts_with(kPrefix)) (*expected)[lower] = value;
  }
  require(actual == *expected, "settings as the server reads them");
}

}  // namespace
}  // namespace helios::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace helios;
  using namespace helios::fuzz;
  std::string body(text_of(data, size));
  std::ranges::replace(body, '|', '\0');
  const auto message = pgwire::parse_startup_message(body);
  const auto expected = expected_pairs(body);
  require(message.has_value() == expected.has_value(), "a packet is well-formed or not");
  if (!message) return 0;
  require(message->parameters == *expected, "the pairs of the packet");
  check_settings(*message);
  return 0;
}
