// SPDX-License-Identifier: Apache-2.0

#include "policy.hpp"

#include "names.hpp"

namespace helios::cost_governor {

using plugin::concat;
using plugin::FieldReader;
using plugin::Json;
using plugin::Optional;
using plugin::Outcome;
using plugin::String;
using plugin::StringView;
using plugin::Verdict;

namespace {

constexpr double kCostPerRow = 1e-6;
constexpr double kCostPerMillisecond = 1e-3;
constexpr double kBytesPerRow = 64.0;
constexpr StringView kCountsAnswer = "answer";  // at the end of notes

double number_in(const Json& object, StringView name) {
  const Optional<Json> field = object.member(name);
  return field ? field->number().value_or(0) : 0;
}

int64_t integer_in(const Json& object, StringView name) {
  const Optional<Json> field = object.member(name);
  return field ? field->integer().value_or(0) : 0;
}

// Sums are kept in steps of this size: shorter texts, which cost less to make, and no 0.30000000000000004.
constexpr double kStepsPerUnit = 1e9;
// From there on a double knows no smaller steps anyway.
constexpr double kMostSteps = 9e15;

double rounded(double amount) {
  const double steps = amount * kStepsPerUnit;
  if (!(steps > -kMostSteps && steps < kMostSteps)) return amount;
  return static_cast<double>(static_cast<int64_t>(steps < 0 ? steps - 0.5 : steps + 0.5)) /
         kStepsPerUnit;
}

// Nine decimals at most, where the amount has no more.
void append_spent(String& json, double amount) {
  constexpr int64_t kUnit = 1'000'000'000;
  constexpr int kDecimals = 9;
  if (!(amount >= 0 && amount * kStepsPerUnit < kMostSteps) || rounded(amount) != amount)
    return json.append(plugin::format_double(amount));
  const auto steps = static_cast<int64_t>(amount * kStepsPerUnit + 0.5);
  plugin::append_int(json, steps / kUnit);
  int64_t rest = steps % kUnit;
  if (rest == 0) return;
  char digits[kDecimals];
  int last = 0;
  for (int i = kDecimals - 1; i >= 0; --i) {
    digits[i] = static_cast<char>('0' + rest % 10);
    if (digits[i] != '0' && last == 0) last = i + 1;
    rest /= 10;
  }
  json.append('.');
  json.append(StringView(digits, static_cast<size_t>(last)));
}

void append_name(String& json, StringView before, StringView name) {
  plugin::append_all(json, before, "\"", name, "\":");
}

Json parsed(StringView json) { return Json::parse(json).value_or(Json()); }

// The field as it stands, for a message: at most so much of it.
String shown(StringView value) {
  constexpr size_t kMaxShown = 64;
  if (value.size() <= kMaxShown) return value;
  return concat(StringView(value.data(), kMaxShown), "...");
}

// What is wrong with a number of an operator's text, if anything.
String problem_of(const Json& object, StringView name, bool is_whole) {
  const Optional<Json> field = object.member(name);
  if (!field) return {};
  const bool is_good =
      is_whole ? field->integer().value_or(-1) >= 0 : field->number().value_or(-1) >= 0;
  if (is_good) return {};
  return concat("its \"", name, "\" is ", shown(field->text()), ", not a ",
                is_whole ? "whole number" : "number", " of 0 or more");
}

void read_answers(FieldReader& fields, Answers& answers) {
  for (int i = 0; i < kWindowCount; ++i) {
    fields.whole(kNames[i].rows_field, answers.rows[i], 0);
    fields.whole(kNames[i].bytes_field, answers.bytes[i], 0);
  }
}

Answers answers_in(const Json& object) {
  Answers answers;
  for (int i = 0; i < kWindowCount; ++i) {
    answers.rows[i] = integer_in(object, kNames[i].rows_field);
    answers.bytes[i] = integer_in(object, kNames[i].bytes_field);
  }
  return answers;
}

// Each reads what may stand there today; what it answers is wrong with it, or nothing.
String read_budget(StringView json, Budget& budget) {
  FieldReader fields;
  for (int i = 0; i < kWindowCount; ++i) fields.number(kNames[i].field, budget.limit[i]);
  read_answers(fields, budget.answers);
  const String problem = fields.read(json);
  if (!problem.empty()) return problem;
  for (const WindowNames& names : kNames)
    if (fields.has(names.field) || fields.has(names.rows_field) || fields.has(names.bytes_field))
      return {};
  return "there is none of `minute`, `hour` and `day`";
}

String read_lengths(StringView json, WindowLengths& lengths) {
  FieldReader fields;
  for (int i = 0; i < kWindowCount; ++i) fields.whole(kNames[i].length_field, lengths.ms[i], 1);
  return fields.read(json);
}

String read_reserve(StringView json, double& cost) {
  FieldReader fields;
  fields.number("cost", cost).required();
  return fields.read(json);
}

String read_usage(StringView json, Usage& usage) {
  FieldReader fields;
  for (int i = 0; i < kWindowCount; ++i) {
    fields.number(kNames[i].field, usage.spent[i]);
    fields.whole(kNames[i].start_field, usage.start_ms[i], 0);
  }
  read_answers(fields, usage.answers);
  return fields.read(json);
}

bool has_spent(const Usage& usage, int window) {
  return usage.spent[window] != 0 || usage.answers.rows[window] != 0 ||
         usage.answers.bytes[window] != 0;
}

// What stands there was written by an earlier version, or by force, where it would be refused today: then it counts for what
// it has always counted for.
template <class T>
Stored<T> stored(StringView json, String (*read)(StringView, T&), String (*problem_of)(StringView),
                 T (*parse)(StringView)) {
  Stored<T> result{};
  result.flaw = read(json, result.value);
  if (result.flaw.empty()) return result;
  result.problem = problem_of(json);
  result.value = parse(json);
  return result;
}

bool ends_with(StringView text, StringView end) {
  return text.size() >= end.size() && text.part(text.size() - end.size()) == end;
}

// Is it tenant:<id>:<what>?
bool is_of_tenant(StringView key, StringView what) {
  constexpr size_t kFrame = 8;  // "tenant:" and ":"
  return key.starts_with("tenant:") && key.size() > kFrame + what.size() &&
         ends_with(key, concat(":", what));
}

String about(StringView what, const String& problem) {
  return problem.empty() ? String() : concat(what, ": ", problem);
}

}  // namespace

String problem_of_write(StringView key, StringView value) {
  Budget budget;
  Usage usage;
  WindowLengths lengths;
  double cost = 0;
  if (is_of_tenant(key, "budget")) return about("budget", read_budget(value, budget));
  if (is_of_tenant(key, "usage")) return about("usage", read_usage(value, usage));
  if (key == "config:windows") return about(key, read_lengths(value, lengths));
  if (key == "config:reserve") return about(key, read_reserve(value, cost));
  return "there is no such key here; there are `tenant:<id>:budget`, `tenant:<id>:usage`, "
         "`config:windows` and `config:reserve`";
}

Stored<Budget> stored_budget(StringView json) {
  return stored<Budget>(json, read_budget, problem_of_budget, parse_budget);
}

Stored<WindowLengths> stored_lengths(StringView json) {
  return stored<WindowLengths>(json, read_lengths, problem_of_lengths, parse_lengths);
}

Stored<double> stored_reserve(StringView json) {
  return stored<double>(json, read_reserve, problem_of_reserve, parse_reserve);
}

String problem_of_budget(StringView json) {
  const Optional<Json> object = Json::parse(json);
  if (!object || object->kind() != Json::Kind::object)
    return concat("it is ", shown(json), ", not a JSON object");
  bool has_any = false;
  for (const WindowNames& names : kNames) {
    const StringView fields[] = {names.field, names.rows_field, names.bytes_field};
    for (const StringView& name : fields) {
      const bool is_whole = !(name == names.field);
      if (String problem = problem_of(*object, name, is_whole); !problem.empty()) return problem;
      has_any |= object->member(name).has_value();
    }
  }
  if (!has_any) return concat("it is ", shown(json), ", without a minute, an hour or a day");
  return {};
}

String problem_of_lengths(StringView json) {
  const Optional<Json> object = Json::parse(json);
  if (!object || object->kind() != Json::Kind::object)
    return concat("it is ", shown(json), ", not a JSON object");
  for (const WindowNames& names : kNames)
    if (String problem = problem_of(*object, names.length_field, true); !problem.empty())
      return problem;
  return {};
}

String problem_of_reserve(StringView json) {
  const Optional<Json> object = Json::parse(json);
  if (!object || object->kind() != Json::Kind::object)
    return concat("it is ", shown(json), ", not a JSON object");
  if (!object->member("cost")) return concat("it is ", shown(json), ", without a cost");
  return problem_of(*object, "cost", false);
}

double charged_cost(const Outcome& outcome, double reserved) {
  if (!outcome.may_have_run()) return 0;
  const double cost = cost_of(outcome);
  // What it went on to cost at the server is not known: at least what was reserved.
  if (!outcome.ran() && reserved > cost) return reserved;
  return cost;
}

bool Budget::has_limit() const {
  for (const double each : limit)
    if (each > 0) return true;
  return !answers.is_empty();
}

Budget parse_budget(StringView json) {
  const Json object = parsed(json);
  Budget budget;
  for (int i = 0; i < kWindowCount; ++i) budget.limit[i] = number_in(object, kNames[i].field);
  budget.answers = answers_in(object);
  return budget;
}

WindowLengths parse_lengths(StringView json) {
  const Json object = parsed(json);
  WindowLengths lengths;
  for (int i = 0; i < kWindowCount; ++i) {
    const int64_t length = integer_in(object, kNames[i].length_field);
    if (length > 0) lengths.ms[i] = length;
  }
  return lengths;
}

Usage parse_usage(StringView json) {
  Usage usage;
  if (read_usage(json, usage).empty()) return usage;
  const Json object = parsed(json);
  usage = {};
  for (int i = 0; i < kWindowCount; ++i) {
    usage.spent[i] = number_in(object, kNames[i].field);
    const int64_t start = integer_in(object, kNames[i].start_field);
    usage.start_ms[i] = start > 0 ? start : 0;
  }
  usage.answers = answers_in(object);
  return usage;
}

String format_usage(const Usage& usage) {
  constexpr size_t kUsualBytes = 384;
  String json;
  json.reserve(kUsualBytes);
  for (int i = 0; i < kWindowCount; ++i) {
    append_name(json, i == 0 ? "{" : ",", kNames[i].field);
    append_spent(json, usage.spent[i]);
  }
  for (int i = 0; i < kWindowCount; ++i) {
    append_name(json, ",", kNames[i].start_field);
    plugin::append_int(json, usage.start_ms[i]);
  }
  for (int i = 0; i < kWindowCount && !usage.answers.is_empty(); ++i) {
    append_name(json, ",", kNames[i].rows_field);
    plugin::append_int(json, usage.answers.rows[i]);
    append_name(json, ",", kNames[i].bytes_field);
    plugin::append_int(json, usage.answers.bytes[i]);
  }
  json.append('}');
  return json;
}

double cost_of(const Outcome& outcome) {
  const double rows = static_cast<double>(outcome.response_bytes) / kBytesPerRow;
  const double milliseconds = static_cast<double>(outcome.elapsed_us) / 1000.0;
  return rounded(kCostPerRow * rows + kCostPerMillisecond * milliseconds);
}

Usage usage_at(const Usage& usage, const WindowLengths& lengths, int64_t now_ms) {
  Usage present = usage;
  for (int i = 0; i < kWindowCount; ++i) {
    const bool begun = usage.start_ms[i] > 0;
    if (begun && usage.start_ms[i] <= now_ms && now_ms - usage.start_ms[i] >= lengths.ms[i]) {
      present.spent[i] = 0;
      present.start_ms[i] = 0;
      present.answers.rows[i] = 0;
      present.answers.bytes[i] = 0;
    } else if ((!begun && has_spent(usage, i)) || usage.start_ms[i] > now_ms) {
      present.start_ms[i] = now_ms;
    }
  }
  return present;
}

double parse_reserve(StringView json) {
  const double cost = number_in(parsed(json), "cost");
  return cost > 0 ? cost : 0;
}

String format_reservation(const Reservation& reservation) {
  String notes = plugin::format_double(reservation.cost);
  for (const int64_t start_ms : reservation.start_ms)
    notes = concat(notes, " ", plugin::format_int(start_ms));
  return reservation.counts_answer ? concat(notes, " ", kCountsAnswer) : notes;
}

Reservation parse_reservation(StringView notes) {
  Reservation reservation;
  size_t at = 0;
  const auto next = [&notes, &at] {
    const size_t begin = at;
    while (at < notes.size() && notes[at] != ' ') ++at;
    return notes.part(begin, at++ - begin);
  };
  const Optional<double> cost = plugin::parse_double(next());
  for (int64_t& start_ms : reservation.start_ms) {
    const Optional<int64_t> number = plugin::parse_int(next());
    if (!number) return {};
    start_ms = *number;
  }
  reservation.cost = cost.value_or(0);
  reservation.counts_answer = next() == kCountsAnswer;
  return reservation;
}

Usage settle(const Usage& usage, const Reservation& reservation, double cost, int64_t now_ms) {
  Usage settled = usage;
  for (int i = 0; i < kWindowCount; ++i) {
    const bool is_same = usage.start_ms[i] != 0 && usage.start_ms[i] == reservation.start_ms[i];
    const double spent = rounded(usage.spent[i] + cost - (is_same ? reservation.cost : 0));
    settled.spent[i] = spent > 0 ? spent : 0;
    if (settled.start_ms[i] == 0 && cost > 0) settled.start_ms[i] = now_ms;
  }
  return settled;
}

Usage charge(const Usage& usage, double cost, int64_t now_ms) {
  Usage charged = usage;
  for (int i = 0; i < kWindowCount; ++i) {
    if (charged.start_ms[i] == 0) charged.start_ms[i] = now_ms;
    charged.spent[i] = rounded(charged.spent[i] + cost);
  }
  return charged;
}

}  // namespace helios::cost_governor
