// SPDX-License-Identifier: Apache-2.0
#include "sql/secret_names.hpp"

#include "sql/raw_tokens.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace helios::sql {

namespace {

char folded(char byte) { return byte == '-' ? '_' : lower_ascii(byte); }

bool is_same(std::string_view name, std::string_view folded_word) {
  return std::ranges::equal(name, folded_word, {}, folded);
}

bool has(std::string_view name, std::string_view folded_word) {
  return !std::ranges::search(name, folded_word, {}, folded).empty();
}

bool ends_with(std::string_view name, std::string_view folded_word) {
  return name.size() >= folded_word.size() &&
         is_same(name.substr(name.size() - folded_word.size()), folded_word);
}

template <std::size_t N>
bool ends_with_one_of(std::string_view name, const std::array<std::string_view, N>& words) {
  return std::ranges::any_of(words, [name](auto word) { return ends_with(name, word); });
}

// A name that ends so says something about a secret.
constexpr std::array<std::string_view, 18> kAbout{
    "_encryption", "_required", "_at",      "_id",        "_date",     "_time",
    "_type",       "_count",    "_length",  "_expiry",    "_expires",  "_expired",
    "_policy",     "_version",  "_changed", "_algorithm", "_attempts", "less"};
constexpr std::array<std::string_view, 5> kParts{"passw", "passphrase", "secretkey", "secret_",
                                                 "credential"};
constexpr std::array<std::string_view, 12> kEnds{
    "pwd",     "_pass",      "secret",    "secrets",     "_token",     "apikey",
    "api_key", "access_key", "accesskey", "private_key", "privatekey", "encryption_key"};
constexpr std::array<std::string_view, 3> kWholes{"pass", "token", "userpass"};

// Of a longer one, such as a megabyte of base64, only the end is looked at.
constexpr std::size_t kMaxNameBytes = 256;

// Which letters a name has: bit 0 for a, and so on.
constexpr std::uint32_t letters_of(std::string_view name) {
  std::uint32_t letters = 0;
  for (const char byte : name) {
    const auto letter =
        static_cast<unsigned char>((static_cast<unsigned char>(byte) | 0x20U) - 'a');
    if (letter < 26) letters |= 1U << letter;
  }
  return letters;
}

// Every secret's name has these in it, or those.
constexpr std::array kTelling{letters_of("pas"),       letters_of("pwd"),   letters_of("secrt"),
                              letters_of("credntial"), letters_of("token"), letters_of("key")};

// Most names are told by their letters alone.
bool may_be_secret(std::string_view name) {
  const std::uint32_t letters = letters_of(name);
  return std::ranges::any_of(kTelling, [letters](auto all) { return (letters & all) == all; });
}

std::string_view without_dashes(std::string_view name) {
  if (name.size() > kMaxNameBytes) name.remove_prefix(name.size() - kMaxNameBytes);
  while (!name.empty() && folded(name.front()) == '_') name.remove_prefix(1);
  while (!name.empty() && folded(name.back()) == '_') name.remove_suffix(1);
  return name;
}

}  // namespace

bool is_secret_name(std::string_view name) {
  name = without_dashes(name);
  if (!may_be_secret(name)) return false;
  const auto is = [name](auto word) { return is_same(name, word); };
  const auto contains = [name](auto word) { return has(name, word); };
  const bool is_secret = std::ranges::any_of(kWholes, is) || ends_with_one_of(name, kEnds) ||
                         std::ranges::any_of(kParts, contains);
  return is_secret && !ends_with_one_of(name, kAbout);
}

bool is_secret_option(std::string_view name) {
  if (is_secret_name(name)) return true;
  name = without_dashes(name);
  static constexpr std::array<std::string_view, 5> kOptionEnds{"_key", "sslkey", "keyfile",
                                                               "passfile", "authtoken"};
  return is_same(name, "key") || ends_with_one_of(name, kOptionEnds);
}

unsigned secret_arguments_of(std::string_view function) {
  struct Function {
    std::string_view name;
    unsigned arguments;
  };
  // pgcrypto's. A public key is none.
  static constexpr std::array<Function, 12> kFunctions{{{"crypt", 0b11},
                                                        {"hmac", 0b10},
                                                        {"encrypt", 0b10},
                                                        {"decrypt", 0b10},
                                                        {"encrypt_iv", 0b10},
                                                        {"decrypt_iv", 0b10},
                                                        {"pgp_sym_encrypt", 0b10},
                                                        {"pgp_sym_encrypt_bytea", 0b10},
                                                        {"pgp_sym_decrypt", 0b10},
                                                        {"pgp_sym_decrypt_bytea", 0b10},
                                                        {"pgp_pub_decrypt", 0b110},
                                                        {"pgp_pub_decrypt_bytea", 0b110}}};
  for (const Function& it : kFunctions)
    if (equals_ignoring_case(function, it.name)) return it.arguments;
  return 0;
}

}  // namespace helios::sql
