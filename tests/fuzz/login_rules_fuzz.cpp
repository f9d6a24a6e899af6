// SPDX-License-Identifier: Apache-2.0
//
// The files of logins: pg_hba.conf, pg_ident.conf, userlist.txt. What is refused is refused in lines that name the place, in
// which no secret stands; what is accepted answers every login.
// Input: the first letter chooses the file (h, i or u), the rest is its text; "@other" and includes find the same text.

#include "auth/host_rules.hpp"
#include "auth/user_list.hpp"
#include "auth/user_map.hpp"
#include "base/text.hpp"
#include "fuzz/support/fuzz.hpp"

#include <algorithm>
#include <charconv>

namespace helios::fuzz {
namespace {

void require_place(std::string_view line) {
  for (int number = 0; number < 2; ++number) {
    const std::size_t colon = line.find(':');
    require(colon != std::string_view::npos, "a place: " + std::string(line));
    line.remove_prefix(colon + 1);
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
    require(error == std::errc{} && value >= 1, "a line and a column: " + std::string(line));
    line.remove_prefix(static_cast<std::size_t>(end - line.data()));
  }
  require(line.starts_with(": "), "words behind the place: " + std::string(line));
}

void require_lines(const std::string& message) {
  require(base::is_valid_utf8(message), "a message in UTF-8");
  std::string_view rest(message);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    const bool has_control =
        std::ranges::any_of(line, [](unsigned char c) { return c < ' ' || c == 0x7F; });
    require(!has_control, "lines of text: " + std::string(line));
    require_place(line);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

// One more file, which includes itself again and again where the text says so.
auth::FileReader files_of(const std::string& text) {
  return {.read = [text](const std::string& path) -> base::Result<std::string> {
            if (path == "/f/rules" || path == "/f/other") return text;
            return base::fail(base::Errc::not_found, path + ": there is no such file");
          },
          .list = [](const std::string& path) -> base::Result<std::vector<std::string>> {
            if (path == "/f") return std::vector<std::string>{"other", "other.conf"};
            return base::fail(base::Errc::not_found, path + ": there is no such folder");
          }};
}

void check_host_rules(const std::string& text) {
  const auto rules = auth::HostRules::read("/f/rules", files_of(text));
  if (!rules) return require_lines(rules.error().message);
  require(!(*rules)->rules().empty(), "at least one rule");
  for (const bool is_encrypted : {true, false}) {
    for (const std::string_view address : {"10.0.0.1", "::1", "::ffff:10.0.0.1", "no address"}) {
      const auth::HostRule* rule = (*rules)->find(
          {.is_encrypted = is_encrypted, .address = address, .user = "ann", .database = "demo"});
      if (rule == nullptr) continue;
      require(rule->type != auth::ConnectionType::local, "a rule for connections by TCP");
      require(is_encrypted || rule->type != auth::ConnectionType::hostssl, "a rule for it");
      require(!is_encrypted || rule->type != auth::ConnectionType::hostnossl, "a rule for it");
      require(rule->method != auth::Method::peer, "no OS user comes by TCP");
    }
  }
}

void check_user_map(const std::string& text) {
  const auto map = auth::UserMap::read("/f/rules", files_of(text));
  if (!map) return require_lines(map.error().message);
  require(!(*map)->allows("", "ann", "bob"), "without a map the names are equal");
  require(!(*map)->allows("no such map", "ann", "ann"), "a map that is not there allows nothing");
  require(!(*map)->allows("m", "", "ann"), "nobody has no name");
}

void check_user_list(std::string_view text) {
  constexpr std::string_view kSecret = "Xq7vPz2m";
  const auto users = auth::UserList::parse(text, "users");
  if (!users) {
    require_lines(users.error().message);
    require(users.error().message.find(kSecret) == std::string::npos, "no secret in a message");
    return;
  }
  for (const auto& [name, secret] : (*users)->all()) {
    require(!name.empty() && name.size() <= auth::UserList::kMaxNameBytes, "a name of a user");
    require((*users)->find(name) == &secret, "that is found");
  }
}

}  // namespace
}  // namespace helios::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace helios::fuzz;
  std::string_view text = text_of(data, size);
  if (text.empty()) return 0;
  const char kind = text.front();
  text.remove_prefix(1);
  if (kind == 'h') check_host_rules(std::string(text));
  if (kind == 'i') check_user_map(std::string(text));
  if (kind == 'u') check_user_list(text);
  return 0;
}
