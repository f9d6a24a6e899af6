// SPDX-License-Identifier: Apache-2.0
//
// Whatever the bytes of a file are: there are rules, or errors that each begin with a place. From noise, and from files that
// were good before something was changed, taken out or put in.

#include "auth/host_rules.hpp"
#include "auth/user_list.hpp"
#include "auth/user_map.hpp"
#include "base/text.hpp"
#include "memory_files.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace helios::auth {
namespace {

const std::string kGoodRules =
    "# comment\n"
    "local all,\"a b\" @names peer map=m\n"
    "hostssl sameuser,replication all 10.1.0.0/16 cert clientname=DN map=\"m\"\n"
    "host all bob 10.0.0.0 255.0.0.0 \\\n  scram-sha-256\n"
    "hostssl all all 2001:db8::/32 md5 clientcert=verify-ca\r\n"
    "include_if_exists more\ninclude more\ninclude_dir d\n"
    "hostnossl all all all reject\n";
const std::string kGoodMap = "m \"CN=a b\" all\nm bob bob # b\ninclude ident\n";
const std::string kGoodList =
    "\"alice\" \"a\"\"b\"\n; x\n\"bob\" \"md50123456789abcdef0123456789abcdef\"\n";

const std::vector<std::string> kPieces = {"\"",
                                          ",",
                                          "\\\n",
                                          "\n",
                                          " ",
                                          "#",
                                          "@",
                                          "@names",
                                          "all",
                                          "include f\n",
                                          "include d\n",
                                          "include_dir d\n",
                                          "/",
                                          "+",
                                          "=",
                                          "host",
                                          "local",
                                          "trust",
                                          "10.0.0.1",
                                          "::1",
                                          "/99",
                                          "map=",
                                          std::string(1, '\0'),
                                          "\xff",
                                          "\r"};

MemoryFiles files_with(const std::string& text) {
  return {{{"f", text},
           {"names", "x, \"y\"\nz\n"},
           {"more", "local all all trust\n"},
           {"d/a.conf", "local all all md5\n"},
           {"ident", "n a b\n"}}};
}

// Digits at the end of `text` up to its ':'; `text` is what stands before them then.
bool take_number(std::string_view& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon + 1 == text.size()) return false;
  const auto digits = text.substr(colon + 1);
  text = text.substr(0, colon);
  return digits[0] != '0' &&
         std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
}

// "FILE:LINE:COLUMN: ", and one line of printable text.
bool is_error_with_place(std::string_view line) {
  std::string_view place = line.substr(0, line.find(": "));
  if (place.size() + 2 >= line.size() || !take_number(place) || !take_number(place)) return false;
  return !place.empty() && std::ranges::all_of(line, [](char c) { return c >= ' ' && c <= '~'; });
}

template <typename T>
bool is_accounted_for(const base::Result<T>& result) {
  if (result) return true;
  const auto lines = base::split_lines(result.error().message);
  return result.error().code == base::Errc::invalid && !lines.empty() && lines.size() <= 50 &&
         std::ranges::all_of(lines, is_error_with_place);
}

class Mutator {
 public:
  explicit Mutator(unsigned seed) : random_(seed) {}

  std::string noise() {
    std::string text;
    for (auto left = random_() % 200; left > 0; --left) {
      if (random_() % 3 == 0)
        text += static_cast<char>(random_());
      else
        text += piece();
    }
    return text;
  }

  std::string changed(std::string text) {
    for (auto left = 1 + random_() % 5; left > 0 && !text.empty(); --left) {
      const std::size_t at = random_() % text.size();
      switch (random_() % 4) {
        case 0: text.erase(at, 1 + random_() % 8); break;
        case 1: text.insert(at, piece()); break;
        case 2: text[at] = static_cast<char>(random_()); break;
        default: text.insert(at, text.substr(random_() % text.size(), random_() % 30)); break;
      }
    }
    return text;
  }

 private:
  const std::string& piece() { return kPieces[random_() % kPieces.size()]; }

  std::mt19937 random_;
};

// Of a text that was read, rules can be asked for whatever client.
bool answers(const HostRules& rules) {
  for (const char* address : {"10.1.2.3", "2001:db8::1", "", "?"}) {
    const Login login{.is_encrypted = true, .address = address, .user = "bob", .database = "bob"};
    const auto* rule = rules.find(login);
    if (rule != nullptr && (rule->place.empty() || rule->type == ConnectionType::local))
      return false;
  }
  return !rules.rules().empty();
}

void look_at(const std::string& text, int& read, int& refused) {
  const auto files = files_with(text);
  const auto reader = files.reader();
  const auto rules = HostRules::read("f", reader);
  const auto map = UserMap::read("f", reader);
  const auto list = UserList::parse(text, "f");
  const auto shown = base::escape_for_log(text, 5000);
  ASSERT_TRUE(is_accounted_for(rules)) << shown << "\n" << rules.error().message;
  ASSERT_TRUE(is_accounted_for(map)) << shown << "\n" << map.error().message;
  ASSERT_TRUE(is_accounted_for(list)) << shown << "\n" << list.error().message;
  for (const bool is_read : {rules.has_value(), map.has_value(), list.has_value()})
    ++(is_read ? read : refused);
  ASSERT_TRUE(!rules || answers(**rules)) << shown;
}

TEST(RulesProperty, good_files_are_good) {
  const auto files = files_with(kGoodRules);
  EXPECT_EQ(HostRules::read("f", files.reader())->get()->rules().size(), 8U);
  EXPECT_TRUE(UserMap::read("f", files_with(kGoodMap).reader()));
  EXPECT_TRUE(UserList::parse(kGoodList, "f"));
}

TEST(RulesProperty, noise_is_read_or_refused_with_a_place) {
  Mutator mutator(71);
  int read = 0;
  int refused = 0;
  for (int round = 0; round < 5000; ++round) look_at(mutator.noise(), read, refused);
  EXPECT_GT(refused, 10'000);
}

TEST(RulesProperty, changed_files_are_read_or_refused_with_a_place) {
  Mutator mutator(72);
  for (const auto& good : {kGoodRules, kGoodMap, kGoodList}) {
    int read = 0;
    int refused = 0;
    for (int round = 0; round < 3000; ++round) look_at(mutator.changed(good), read, refused);
    EXPECT_GT(read, 100) << good;
    EXPECT_GT(refused, 3000) << good;
  }
}

TEST(RulesProperty, every_prefix_of_a_good_file_is_read_or_refused_with_a_place) {
  int read = 0;
  int refused = 0;
  for (std::size_t size = 0; size <= kGoodRules.size(); ++size)
    look_at(kGoodRules.substr(0, size), read, refused);
  EXPECT_GT(read, 0);
}

// The same rules with every name between quotes, every blank a tab, and lines broken after each field.
TEST(RulesProperty, spelling_of_a_file_does_not_matter) {
  const std::string plain = "local a,b c trust\nhost d e,f 10.0.0.0/8 md5\n";
  const std::string other =
      "local\t\"a\", \"b\"\t\"c\" trust # x\n\n# y\nhost \\\n\"d\" \\\n\"e\",\"f\" \\\n10.0.0.0 "
      "\\\n"
      "255.0.0.0 \\\n\"md5\"\n";
  const auto files = files_with(plain);
  const auto other_files = files_with(other);
  const auto rules = HostRules::read("f", files.reader());
  const auto other_rules = HostRules::read("f", other_files.reader());
  ASSERT_TRUE(rules && other_rules);
  for (std::size_t i = 0; i < 2; ++i) {
    const HostRule& one = (*rules)->rules()[i];
    const HostRule& two = (*other_rules)->rules()[i];
    EXPECT_EQ(one.databases.names.names, two.databases.names.names);
    EXPECT_EQ(one.users.names, two.users.names);
    EXPECT_EQ(one.type, two.type);
    EXPECT_EQ(one.method, two.method);
  }
}

}  // namespace
}  // namespace helios::auth
