// SPDX-License-Identifier: Apache-2.0

// Goal: no secret is shown, and everything else is. Method: a table of statements; the same ones cut anywhere and put together at
// random; texts that are long and strange.

#include "sql/redact.hpp"

#include "sql/masks.hpp"
#include "unit/sql/redact_corpus.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <random>
#include <string>

namespace helios::sql {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string shown(std::string_view text, bool conforming = true) {
  return redact(text, conforming).value_or(std::string(text));
}

// Is `text` what is left of `original` when some places have become masks?
bool is_masked_form(std::string_view text, std::string_view original) {
  std::size_t from = 0;
  bool is_first = true;
  while (true) {
    const std::size_t mask = text.find(Masks::kMask);
    const std::string_view piece = text.substr(0, mask);
    const std::size_t found = original.find(piece, from);
    if (found == std::string_view::npos || (is_first && found != 0)) return false;
    from = found + piece.size();
    if (mask == std::string_view::npos) return piece.empty() || original.ends_with(piece);
    text.remove_prefix(mask + Masks::kMask.size());
    is_first = false;
  }
}

TEST(Redact, corpus_shows_everything_but_secrets) {
  ASSERT_GE(redact_corpus().size(), 80U);
  for (const RedactCase& line : redact_corpus()) EXPECT_EQ(shown(line.text), line.shown);
}

TEST(Redact, ordinary_statements_are_not_even_copied) {
  for (const std::string_view text : ordinary_statements())
    EXPECT_EQ(redact(text, true), std::nullopt) << text;
}

TEST(Redact, rule_of_backslashes_decides_where_a_string_ends) {
  constexpr std::string_view kText = R"(select 'a\', 'password=hush b' , 'c)";
  EXPECT_EQ(shown(kText, true), R"(select 'a\', 'password=*** b' , 'c)");
  EXPECT_EQ(shown("ALTER ROLE bob PASSWORD 'it\\'s hush' LOGIN", false),
            "ALTER ROLE bob PASSWORD '***' LOGIN");
  EXPECT_EQ(shown("ALTER ROLE bob PASSWORD 'hush\\' LOGIN", true),
            "ALTER ROLE bob PASSWORD '***' LOGIN");
}

TEST(Redact, twice_is_as_good_as_once) {
  for (const RedactCase& line : redact_corpus())
    EXPECT_EQ(redact(line.shown, true), std::nullopt) << line.shown;
}

// A text that is cut never shows more than a secret's place did.
TEST(Redact, texts_cut_at_every_byte_show_no_secret) {
  for (const RedactCase& line : redact_corpus()) {
    if (line.shown.contains("hush")) continue;  // a row where it is no secret
    const std::size_t secret = line.text.find("hush");
    if (secret == std::string_view::npos) continue;
    for (std::size_t end = secret + 4; end <= line.text.size(); ++end) {
      // What is compared with a name that has been cut off is not known to be a secret.
      const std::string_view cut = line.text.substr(0, end);
      const std::string once = shown(cut);
      EXPECT_EQ(shown(once), once) << cut;
      if (line.text.contains("' as ") || line.text.contains("' = u") || line.text.contains("@"))
        continue;
      if (line.text.contains("*/ = ") || line.text.contains("' in (") ||
          line.text.contains("' = lower(") || line.text.contains("value => "))
        continue;
      EXPECT_THAT(once, Not(HasSubstr("hush"))) << cut;
    }
  }
}

TEST(Redact, statements_in_any_order_stay_as_they_are_alone) {
  std::mt19937 random(20240817);
  const auto pick = [&](const auto& of) { return of[random() % of.size()]; };
  const auto closed = [](std::string_view text) {
    return !text.contains("--") && !text.ends_with("hush") && !text.contains("and 'a");
  };
  for (int round = 0; round < 2'000; ++round) {
    std::string text;
    std::string expected;
    for (int i = 0; i < 4; ++i) {
      const RedactCase& line = pick(redact_corpus());
      if (!closed(line.text) || line.text.ends_with("hush'") != line.shown.ends_with("***'"))
        continue;
      if (line.text.starts_with("select 1 /* alter")) continue;
      (text += line.text) += ";\n";
      (expected += line.shown) += ";\n";
    }
    ASSERT_EQ(shown(text), expected);
  }
}

// No name and no quote is left open behind any of them.
constexpr auto kTokens = std::to_array<std::string_view>({"select",
                                                          "password ",
                                                          "PASSWORD",
                                                          " = ",
                                                          "(",
                                                          ")",
                                                          ",",
                                                          ";",
                                                          " and ",
                                                          "'a'",
                                                          "'b''c'",
                                                          " E'\\x'",
                                                          " $$d$$",
                                                          "--e\n",
                                                          "/*f*/",
                                                          "\n",
                                                          " insert ",
                                                          " into ",
                                                          " values ",
                                                          " set ",
                                                          " options ",
                                                          "token",
                                                          "api_key",
                                                          ".",
                                                          "||",
                                                          " case ",
                                                          " when ",
                                                          " end ",
                                                          "'password'",
                                                          "'pwd='",
                                                          "'p%L'",
                                                          "$1",
                                                          "\"secret\"",
                                                          "'password %L'",
                                                          "crypt(",
                                                          "hmac(",
                                                          " from ",
                                                          " select ",
                                                          " alter ",
                                                          "U&'g'",
                                                          "'md5'",
                                                          "[",
                                                          "]",
                                                          " like ",
                                                          "'x://u:v@w'",
                                                          "\xff",
                                                          " to ",
                                                          " as ",
                                                          " connection ",
                                                          "'password=y z'",
                                                          std::string_view("\0", 1)});
constexpr std::array<std::string_view, 5> kOpeners{"'", "\"", " $a$", "/*", " E'\\'"};

class Pieces {
 public:
  std::string_view token() { return kTokens[random_() % kTokens.size()]; }
  std::string_view any() {
    return random_() % 16 == 0 ? kOpeners[random_() % kOpeners.size()] : token();
  }
  std::size_t below(std::size_t limit) { return random_() % limit; }

 private:
  std::mt19937 random_{7};
};

TEST(Redact, bytes_in_any_order_change_only_where_masks_are_and_only_once) {
  Pieces pieces;
  for (int round = 0; round < 10'000; ++round) {
    std::string text;
    for (std::size_t i = pieces.below(24); i > 0; --i) text += pieces.any();
    const bool conforming = pieces.below(4) != 0;
    const std::string once = shown(text, conforming);
    ASSERT_EQ(shown(once, conforming), once) << text;
    ASSERT_TRUE(is_masked_form(once, text)) << text << '\n' << once;
  }
}

TEST(Redact, password_among_tokens_in_any_order_is_masked) {
  Pieces pieces;
  for (int round = 0; round < 10'000; ++round) {
    std::string text;
    for (int secrets = 0; secrets < 2; ++secrets) {
      for (std::size_t i = pieces.below(10); i > 0; --i) text += pieces.token();
      text += " password 'hush'";
    }
    text += pieces.token();
    ASSERT_FALSE(shown(text).contains("hush")) << text << '\n' << shown(text);
  }
}

TEST(Redact, long_texts_take_linear_time) {
  constexpr std::size_t kBytes = 100'000;
  const auto repeated = [](std::string_view part) {
    std::string text;
    while (text.size() < kBytes) text += part;
    return text;
  };
  for (const std::string_view part :
       {"'",         "\"",        "$",           "$a$",   "$a",   "(",
        ")",         "/*",        "*/",          "--",    "\n'",  "\\",
        "password ", "password=", "'password '", "x://",  "a@:",  ".password",
        "password.", "\\'",       "'password'",  "case ", "E'\\", "password''''",
        "''\n",      "insert ("}) {
    const std::string text = repeated(part);
    const std::string inside = "select '" + text;
    for (const std::string* it : std::initializer_list<const std::string*>{&text, &inside})
      EXPECT_LE(shown(*it).size(), it->size() + 3 * (Masks::kMaxMasks + 1)) << part;
  }
}

TEST(Redact, long_text_is_given_up_when_there_is_no_more_time) {
  std::string text = "select 'password=hush ";
  for (int i = 0; i < 100'000; ++i) text += "x ";
  text += "', 'password=hush'";
  for (const int allowed : {0, 1, 1000}) {
    int asked = 0;
    std::optional<std::string> out = "untouched";
    const bool is_through = redact_while([&] { return asked++ < allowed; }, text, true, out);
    EXPECT_EQ(is_through, allowed == 1000);
    EXPECT_EQ(out == "untouched", !is_through);
    if (is_through) {
      EXPECT_FALSE(out.value_or("hush").contains("hush"));
    }
    EXPECT_GE(asked, 1);
  }
}

TEST(Redact, text_of_very_many_secrets_ends_in_a_mask) {
  std::string text;
  for (std::size_t i = 0; i < 2 * Masks::kMaxMasks; ++i) text += "password 'hush';";
  const std::string once = shown(text);
  EXPECT_THAT(once, Not(HasSubstr("hush")));
  EXPECT_TRUE(once.ends_with("***"));
  EXPECT_LT(once.size(), text.size() * 6 / 10);
  EXPECT_EQ(shown(once), once);
}

TEST(Redact, what_stands_too_deep_to_be_followed_is_masked) {
  EXPECT_THAT(shown(std::string(400, '(') + "'plain'"), HasSubstr("plain"));
  EXPECT_THAT(shown(std::string(600, '(') + "'plain'"), Not(HasSubstr("plain")));
}

TEST(RedactMessage, parts_of_statements_in_messages_are_masked) {
  const auto message = [](std::string_view text) {
    return redact_message(text).value_or(std::string(text));
  };
  EXPECT_EQ(message("could not connect: password=hush host=h"),
            "could not connect: password=*** host=h");
  EXPECT_EQ(message("syntax error in \"alter role bob password 'hush' x\""),
            "syntax error in \"alter role bob password '***' x\"");
  for (const std::string_view text :
       {"syntax error at or near \"password\"",
        "column \"password\" of relation \"users\" does not exist",
        "password authentication failed for user \"bob\"", "relation \"t\" does not exist", ""})
    EXPECT_EQ(redact_message(text), std::nullopt) << text;
}

}  // namespace
}  // namespace helios::sql
