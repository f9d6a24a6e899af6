// SPDX-License-Identifier: Apache-2.0

#include "config/toml_section.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace helios::config {
namespace {

std::uint32_t line_of(const toml::node& node) { return node.source().begin.line; }

std::string join(const std::vector<std::string>& words) {
  std::string result;
  for (const auto& word : words) {
    result += (result.empty() ? "" : ", ") + word;
  }
  return result;
}

}  // namespace

void Problems::add(std::uint32_t line, std::string_view key, std::string_view what) {
  all_.emplace(line, place(line, key) + ": " + std::string(what));
}

std::string Problems::message() const {
  std::string text;
  std::size_t shown = 0;
  for (const auto& [line, problem] : all_) {
    if (shown++ == kMaxShown) {
      return text + "\n" + file_name_ + ": and " + std::to_string(all_.size() - kMaxShown) +
             " more problems";
    }
    text += (text.empty() ? "" : "\n") + problem;
  }
  return text;
}

std::string Problems::place(std::uint32_t line, std::string_view key) const {
  auto result = file_name_ + ":" + std::to_string(line);
  return key.empty() ? result : result + ": " + base::escape_for_log(key);
}

TomlSection TomlSection::section(std::string_view key) {
  const auto* node = find(key);
  const auto* table = node == nullptr ? nullptr : node->as_table();
  if (node != nullptr && table == nullptr) {
    problems_.add(line_of(*node), full_name(key), "must be a table");
  }
  return {full_name(key), table, problems_};
}

void TomlSection::texts_or_tables(std::string_view key,
                                  const std::function<void(const std::string&)>& on_text,
                                  const std::function<void(TomlSection&)>& on_table) {
  const auto* node = find(key);
  if (node == nullptr) {
    return;
  }
  const auto* array = node->as_array();
  if (array == nullptr) {
    add_problem(key, "must be an array of strings and tables");
    return;
  }
  for (const auto& element : *array) {
    if (const auto* value = element.as_string()) {
      on_text(value->get());
    } else if (const auto* table = element.as_table()) {
      TomlSection section(full_name(key), table, problems_);
      on_table(section);
    } else {
      problems_.add(line_of(element), full_name(key), "must be an array of strings and tables");
    }
  }
}

void TomlSection::tables(std::string_view key, const std::function<void(TomlSection&)>& read) {
  const auto* node = find(key);
  if (node == nullptr) {
    return;
  }
  const auto* array = node->as_array();
  if (array == nullptr || array->empty()) {
    add_problem(key, "must be an array of tables");
    return;
  }
  for (const auto& element : *array) {
    if (const auto* table = element.as_table()) {
      TomlSection section(full_name(key), table, problems_);
      read(section);
    } else {
      problems_.add(line_of(element), full_name(key), "must be an array of tables");
    }
  }
}

void TomlSection::boolean(std::string_view key, bool& out) {
  const auto* node = find(key);
  if (node == nullptr) {
    return;
  }
  if (const auto* value = node->as_boolean()) {
    out = value->get();
  } else {
    add_problem(key, "must be true or false");
  }
}

std::string TomlSection::own_place() const { return problems_.place(line_of(*table_), name_); }

void TomlSection::add_own_problem(std::string_view what) {
  problems_.add(line_of(*table_), name_, what);
}

void TomlSection::text(std::string_view key, std::string& out) {
  const auto* node = find(key);
  if (node == nullptr) {
    return;
  }
  if (const auto* value = node->as_string()) {
    out = value->get();
  } else {
    add_problem(key, "must be a string");
  }
}

void TomlSection::texts(std::string_view key, std::vector<std::string>& out) {
  const auto* node = find(key);
  if (node == nullptr) {
    return;
  }
  const auto* array = node->as_array();
  if (array == nullptr) {
    add_problem(key, "must be an array of strings");
    return;
  }
  out.clear();
  for (const auto& element : *array) {
    if (const auto* value = element.as_string()) {
      out.push_back(value->get());
    } else {
      problems_.add(line_of(element), full_name(key), "must be an array of strings");
    }
  }
}

void TomlSection::all_texts(std::vector<std::pair<std::string, std::string>>& out) {
  if (table_ == nullptr) {
    return;
  }
  for (const auto& [key, node] : *table_) {
    out.emplace_back(key.str(), "");
    text(key.str(), out.back().second);
  }
}

bool TomlSection::has(std::string_view key) const {
  return table_ != nullptr && table_->get(key) != nullptr;
}

bool TomlSection::has_empty_array(std::string_view key) const {
  const auto* array = has(key) ? table_->get(key)->as_array() : nullptr;
  return array != nullptr && array->empty();
}

std::string TomlSection::place(std::string_view key) const {
  return problems_.place(line_of(*table_->get(key)), full_name(key));
}

void TomlSection::add_problem(std::string_view key, std::string_view what) {
  problems_.add(line_of(*table_->get(key)), full_name(key), what);
}

void TomlSection::finish() {
  if (table_ == nullptr) {
    return;
  }
  for (const auto& [key, node] : *table_) {
    if (std::ranges::find(known_, key.str()) == known_.end()) {
      problems_.add(key.source().begin.line, full_name(key.str()),
                    "unknown key; known here: " + join(known_));
    }
  }
}

const toml::node* TomlSection::find(std::string_view key) {
  known_.emplace_back(key);
  return table_ == nullptr ? nullptr : table_->get(key);
}

bool TomlSection::has_text(std::string_view key) const {
  return has(key) && table_->get(key)->is_string();
}

void TomlSection::read_integer(std::string_view key, std::int64_t& out, std::int64_t min,
                               std::int64_t max) {
  const auto* node = find(key);
  if (node == nullptr) {
    return;
  }
  const auto* value = node->as_integer();
  if (value == nullptr) {
    add_problem(key, "must be an integer");
  } else if (value->get() < min || value->get() > max) {
    add_problem(key, "must be from " + std::to_string(min) + " to " + std::to_string(max) +
                         ", not " + std::to_string(value->get()));
  } else {
    out = value->get();
  }
}

std::string TomlSection::full_name(std::string_view key) const {
  return name_.empty() ? std::string(key) : name_ + "." + std::string(key);
}

}  // namespace helios::config
