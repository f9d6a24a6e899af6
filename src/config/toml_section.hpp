// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads the keys of one TOML table into typed variables, and remembers which keys it was asked for:
// what is left over at the end is an unknown key. For the configuration and for plugin manifests.
//
// Flow: 1 one call per key that may be there, 2 finish(). A key that is missing leaves its variable
// as it is.

#include "config/toml_library.hpp"

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helios::config {

// Collects what is wrong, so that whoever mends a file is told all of it at once. In the order of the lines: the message
// does not depend on the order in which keys are looked at.
class Problems {
 public:
  // More are only counted: a file that is something else altogether has thousands.
  static constexpr std::size_t kMaxShown = 50;

  explicit Problems(std::string_view file_name) : file_name_(file_name) {}

  // `key` is the full name ("server.port"). The same thing said twice counts once.
  void add(std::uint32_t line, std::string_view key, std::string_view what);

  [[nodiscard]] bool any() const { return !all_.empty(); }
  // "FILE:LINE: key: what is wrong", one line for each. Requires: any().
  [[nodiscard]] std::string message() const;
  // "FILE:LINE: key", for messages of others about a good-looking value.
  [[nodiscard]] std::string place(std::uint32_t line, std::string_view key) const;

 private:
  std::string file_name_;
  std::set<std::pair<std::uint32_t, std::string>> all_;  // by line
};

// A few words, each with the value it stands for.
template <typename E>
using Words = std::initializer_list<std::pair<std::string_view, E>>;

// What to say to somebody who used none of them.
template <typename E>
std::string one_of(Words<E> words) {
  std::string known;
  for (const auto& [word, value] : words) {
    known += (known.empty() ? "\"" : ", \"") + std::string(word) + "\"";
  }
  return "must be one of " + known;
}

class TomlSection {
 public:
  // `name` is the full name of the table, empty for the root. `table` may be null: nothing there.
  TomlSection(std::string name, const toml::table* table, Problems& problems)
      : name_(std::move(name)), table_(table), problems_(problems) {}

  // A table inside this one.
  TomlSection section(std::string_view key);
  // Each element of an array in which strings and tables may stand side by side.
  void texts_or_tables(std::string_view key, const std::function<void(const std::string&)>& on_text,
                       const std::function<void(TomlSection&)>& on_table);
  // Each table of an array of tables, in order.
  void tables(std::string_view key, const std::function<void(TomlSection&)>& read);

  template <std::integral T>
  void integer(std::string_view key, T& out, T min, T max) {
    std::int64_t value = static_cast<std::int64_t>(out);
    read_integer(key, value, static_cast<std::int64_t>(min), static_cast<std::int64_t>(max));
    out = static_cast<T>(value);
  }
  void boolean(std::string_view key, bool& out);
  void text(std::string_view key, std::string& out);
  void texts(std::string_view key, std::vector<std::string>& out);
  // Every key of this table, each with its string, by name: for a table whose keys are free.
  void all_texts(std::vector<std::pair<std::string, std::string>>& out);

  // One of a few words, each with the value it stands for.
  template <typename E>
  void choice(std::string_view key, E& out, Words<E> words) {
    std::string word;
    text(key, word);
    if (!has_text(key)) {
      return;
    }
    const auto found = std::ranges::find(words, word, &std::pair<std::string_view, E>::first);
    if (found == words.end()) {
      add_problem(key, one_of(words));
    } else {
      out = found->second;
    }
  }

  [[nodiscard]] bool has(std::string_view key) const;
  // It is there, and a string.
  [[nodiscard]] bool has_text(std::string_view key) const;
  // It is there, and an array without elements.
  [[nodiscard]] bool has_empty_array(std::string_view key) const;
  // Of a key that may be there and means nothing here: finish() does not report it. Returns whether it is.
  bool leave_aside(std::string_view key) { return find(key) != nullptr; }
  // "FILE:LINE: key" of a key that is there.
  [[nodiscard]] std::string place(std::string_view key) const;
  // Reports a problem with a key that is there, at its line.
  void add_problem(std::string_view key, std::string_view what);

  // "FILE:LINE: name" of the table. Requires: it is there.
  [[nodiscard]] std::string own_place() const;
  // Reports a problem with the table as a whole. Requires: it is there.
  void add_own_problem(std::string_view what);

  // Reports every key that nobody asked for.
  void finish();

 private:
  const toml::node* find(std::string_view key);
  void read_integer(std::string_view key, std::int64_t& out, std::int64_t min, std::int64_t max);
  [[nodiscard]] std::string full_name(std::string_view key) const;

  std::string name_;
  const toml::table* table_;
  Problems& problems_;
  std::vector<std::string> known_;  // every key asked for, in order
};

}  // namespace helios::config
