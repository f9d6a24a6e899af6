// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads what an operator has written under a key: one JSON object whose fields are all known. Strict, so that a mistyped
// setting is found and named, instead of being taken for one that was left out:
//
//   int64_t burst = 0;
//   size_t per = 0;
//   static constexpr StringView kPer[] = {"tenant", "user"};
//   FieldReader fields;
//   fields.whole("burst", burst, 0).required();
//   fields.choice("per", per, kPer);
//   const String problem = fields.read(json);  // "field `brust` is not known; did you mean `burst`?"
//
// A hook and the plugin's check_write that use the same fields agree: what is let in is what is used.
//
// Flow: 1 one call for each field that there may be; 2 read(), once. Numbers mean what they say: 10, 10.0 and 1e1 are the
// same, also where a whole number is wanted; a text is never a number. Problems name fields, and never show a value.

#include "helios/json.hpp"
#include "helios/numbers.hpp"
#include "helios/state.hpp"
#include "helios/text.hpp"

#include <stddef.h>
#include <stdint.h>

namespace helios::plugin {

namespace detail {

inline constexpr size_t kLongestGuess = 32;

inline size_t least_of(size_t a, size_t b) { return a < b ? a : b; }

// How many letters have to be put in, taken out or changed to make one of the other. Requires: neither is longer than
// kLongestGuess.
inline size_t edits_between(StringView from, StringView to) {
  size_t row[kLongestGuess + 1];
  for (size_t i = 0; i <= to.size(); ++i) row[i] = i;
  for (size_t i = 0; i < from.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < to.size(); ++j) {
      const size_t changed = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = least_of(changed, least_of(diagonal, row[j]) + 1);
    }
  }
  return row[to.size()];
}

// A name from outside, for a message: at most so much of it.
inline String shown_name(StringView name) {
  constexpr size_t kMaxShown = 40;
  if (name.size() <= kMaxShown) return concat("`", name, "`");
  return concat("`", name.part(0, kMaxShown), "...`");
}

inline StringView name_of(Json::Kind kind) {
  switch (kind) {
    case Json::Kind::null: return "null";
    case Json::Kind::boolean: return "true or false";
    case Json::Kind::number: return "a number";
    case Json::Kind::string: return "a text";
    case Json::Kind::array: return "a list";
    case Json::Kind::object: return "an object";
  }
  fail();
}

}  // namespace detail

class FieldReader {
 public:
  static constexpr size_t kMaxFields = 16;

  // ---- 1. Which fields there may be. A field that is left out leaves `out` as it is. `name` and `out` stay until read().

  FieldReader& number(StringView name, double& out, double least = 0) {
    Field& field = add(name, Kind::number, &out);
    field.least = least;
    return *this;
  }
  // Up to the 64 bits of `out`.
  FieldReader& whole(StringView name, int64_t& out, int64_t least = INT64_MIN,
                     int64_t most = INT64_MAX) {
    Field& field = add(name, Kind::whole, &out);
    field.least_whole = least;
    field.most_whole = most;
    return *this;
  }
  FieldReader& flag(StringView name, bool& out) { return add(name, Kind::flag, &out), *this; }
  FieldReader& text(StringView name, Optional<String>& out) {
    return add(name, Kind::text, &out), *this;
  }
  // One of these texts; `out` is which of them, from 0. `words` stay until read().
  template <size_t N>
  FieldReader& choice(StringView name, size_t& out, const StringView (&words)[N]) {
    Field& field = add(name, Kind::choice, &out);
    field.words = words;
    field.word_count = N;
    return *this;
  }
  // The field that was added last must be there.
  FieldReader& required() {
    fields_[count_ - 1].is_required = true;
    return *this;
  }

  // ---- 2. What there is.

  // Returns what is wrong, as half a sentence; empty: nothing. Where something is, what the fields are now means nothing.
  [[nodiscard]] String read(StringView json) {
    detail::JsonScanner blanks(json);
    blanks.space();
    if (blanks.at_end()) return "the value is empty; it must be a JSON object";
    const Optional<Json> object = Json::parse(json);
    if (!object) return "the value is not JSON";
    if (object->kind() != Json::Kind::object)
      return concat("the value must be a JSON object, and is ", detail::name_of(object->kind()));
    String problem;
    object->each_member([&](StringView name, const Json& value) {
      problem = take(name, value);
      return problem.empty();
    });
    return problem.empty() ? missing() : problem;
  }

  // After read(): was it there?
  [[nodiscard]] bool has(StringView name) const {
    for (size_t i = 0; i < count_; ++i)
      if (fields_[i].name == name) return fields_[i].is_there;
    return false;
  }

 private:
  enum class Kind { number, whole, flag, text, choice };
  struct Field {
    StringView name;
    Kind kind = Kind::number;
    void* out = nullptr;  // of the type that the kind says
    double least = 0;
    int64_t least_whole = 0;
    int64_t most_whole = 0;
    const StringView* words = nullptr;
    size_t word_count = 0;
    bool is_required = false;
    bool is_there = false;
  };

  Field& add(StringView name, Kind kind, void* out) {
    if (count_ == kMaxFields) fail();
    Field& field = fields_[count_++];
    field.name = name;
    field.kind = kind;
    field.out = out;
    return field;
  }

  String take(StringView name, const Json& value) {
    for (size_t i = 0; i < count_; ++i) {
      Field& field = fields_[i];
      if (!(field.name == name)) continue;
      if (field.is_there) return concat("field `", name, "` is there twice");
      field.is_there = true;
      const String problem = take_value(field, value);
      return problem.empty() ? String() : concat("field `", name, "` ", problem);
    }
    return concat("field ", detail::shown_name(name), " is not known; ", suggestion(name));
  }

  static String take_value(Field& field, const Json& value) {
    switch (field.kind) {
      case Kind::number: return take_number(field, value);
      case Kind::whole: return take_whole(field, value);
      case Kind::choice: return take_choice(field, value);
      case Kind::flag: {
        const Optional<bool> flag = value.boolean();
        if (!flag) return other_kind("true or false", value);
        *static_cast<bool*>(field.out) = *flag;
        return {};
      }
      case Kind::text: {
        const Optional<String> text = value.string();
        if (!text) return other_kind("a text", value);
        *static_cast<Optional<String>*>(field.out) = text;
        return {};
      }
    }
    fail();
  }

  static String take_number(Field& field, const Json& value) {
    if (value.kind() != Json::Kind::number) return other_kind("a number", value);
    const Optional<double> number = value.number();
    if (!number) return "is too large a number";
    if (*number == 0 && detail::decimal_of(value.text()).digits != 0)
      return "is too small a number";  // and not none, which often means that nothing limits
    if (*number < field.least)
      return concat("must be a number of ", format_double(field.least), " or more");
    *static_cast<double*>(field.out) = *number;
    return {};
  }

  static String take_whole(Field& field, const Json& value) {
    if (value.kind() != Json::Kind::number) return other_kind("a whole number", value);
    const Optional<int64_t> number = parse_whole(value.text());
    if (number && *number >= field.least_whole && *number <= field.most_whole) {
      *static_cast<int64_t*>(field.out) = *number;
      return {};
    }
    String wanted = "must be a whole number";
    if (field.least_whole != INT64_MIN)
      wanted = concat(wanted, field.most_whole == INT64_MAX ? " of " : " from ",
                      format_int(field.least_whole));
    if (field.most_whole != INT64_MAX) return concat(wanted, " to ", format_int(field.most_whole));
    return field.least_whole != INT64_MIN ? concat(wanted, " or more") : wanted;
  }

  static String take_choice(Field& field, const Json& value) {
    const Optional<String> word = value.string();
    String wanted = "must be one of";
    for (size_t i = 0; i < field.word_count; ++i) {
      if (word && *word == field.words[i]) {
        *static_cast<size_t*>(field.out) = i;
        return {};
      }
      wanted = concat(wanted, i == 0 ? " \"" : ", \"", field.words[i], "\"");
    }
    return wanted;
  }

  static String other_kind(StringView wanted, const Json& value) {
    return concat("must be ", wanted, ", and is ", detail::name_of(value.kind()));
  }

  // What somebody may have meant who wrote `name`.
  [[nodiscard]] String suggestion(StringView name) const {
    constexpr size_t kMaxEdits = 2;
    size_t best = kMaxEdits + 1;
    StringView meant;
    String all = "there are";
    for (size_t i = 0; i < count_; ++i) {
      all = concat(all, i == 0 ? " `" : ", `", fields_[i].name, "`");
      if (name.size() > detail::kLongestGuess || fields_[i].name.size() > detail::kLongestGuess)
        continue;
      const size_t edits = detail::edits_between(name, fields_[i].name);
      // Less than half of it: of two letters anything could be meant.
      if (edits >= best || 2 * edits >= fields_[i].name.size()) continue;
      best = edits;
      meant = fields_[i].name;
    }
    return meant.empty() ? all : concat("did you mean `", meant, "`?");
  }

  [[nodiscard]] String missing() const {
    for (size_t i = 0; i < count_; ++i)
      if (fields_[i].is_required && !fields_[i].is_there)
        return concat("field `", fields_[i].name, "` is missing");
    return {};
  }

  Field fields_[kMaxFields];
  size_t count_ = 0;
};

// A warning that an instance writes once, however often its hooks come to say it: for what stands in the state and is wrong.
// It remembers the last few; without instance = "reuse" in the manifest every call says it anew.
inline void warn_once(StringView line) {
  constexpr size_t kRemembered = 8;
  static uint64_t said[kRemembered];  // hashes; 0: none
  static size_t next;
  uint64_t hash = 14695981039346656037U;  // FNV-1a
  for (const char byte : line) hash = (hash ^ static_cast<unsigned char>(byte)) * 1099511628211U;
  for (const uint64_t each : said)
    if (each == hash) return;
  said[next++ % kRemembered] = hash;
  log_warning(line);
}

}  // namespace helios::plugin
