// SPDX-License-Identifier: Apache-2.0
#pragma once

// The rules of the cost governor, without the host: what a statement costs, which budgets and usages
// mean what, when a window ends, who is refused. Pure functions of their arguments.
//
// A tenant has three windows (minute, hour, day). A window starts with the first charge, and is over
// when its length has passed; the next charge starts a new one from zero.

#include "helios/plugin.hpp"

namespace helios::cost_governor {

// configuration_limit_exceeded, and config_file_error.
inline constexpr const char* kExceeded = "53400";
inline constexpr const char* kUnusable = "F0000";

inline constexpr int kWindowCount = 3;  // index 0 = minute, 1 = hour, 2 = day

// What answers come to, window by window: rows and bytes.
struct Answers {
  int64_t rows[kWindowCount] = {};
  int64_t bytes[kWindowCount] = {};
  bool operator==(const Answers&) const = default;
  [[nodiscard]] bool is_empty() const { return *this == Answers(); }
};

// What ends a window's service: cost, rows or bytes; 0 or less = no limit.
struct Budget {
  double limit[kWindowCount] = {};
  Answers answers = {};
  [[nodiscard]] bool has_limit() const;
};

// How long the windows are, in milliseconds.
struct WindowLengths {
  int64_t ms[kWindowCount] = {60'000, 3'600'000, 86'400'000};
};

// What a tenant has spent in its present windows, and when each began (milliseconds since 1970;
// 0 = it has not begun).
struct Usage {
  double spent[kWindowCount] = {};
  int64_t start_ms[kWindowCount] = {};
  Answers answers = {};  // of statements that a budget of rows or bytes was in force for
  bool operator==(const Usage&) const = default;
};

// The JSON texts under `tenant:<id>:budget`, `config:windows` and `tenant:<id>:usage`. A field that
// is absent or not a number counts as 0 in budgets and usages, and as the default in lengths, for
// which 0 and less do too; so does a text that is not JSON at all.
[[nodiscard]] Budget parse_budget(plugin::StringView json);
[[nodiscard]] WindowLengths parse_lengths(plugin::StringView json);
[[nodiscard]] Usage parse_usage(plugin::StringView json);
[[nodiscard]] plugin::String format_usage(const Usage& usage);

// What an operator may write under a key of the namespace: "" if that can be used as it stands, else why not. These are
// the readers that the hooks use: what is let in is what is used.
[[nodiscard]] plugin::String problem_of_write(plugin::StringView key, plugin::StringView value);

// A text that stands in the state already, perhaps since a time when nobody looked at it.
template <class T>
struct Stored {
  T value;
  plugin::String problem;  // why it cannot be used, as below; empty: it can
  plugin::String flaw;     // why it would be refused if it were written today; empty: it would not
};
[[nodiscard]] Stored<Budget> stored_budget(plugin::StringView json);
[[nodiscard]] Stored<WindowLengths> stored_lengths(plugin::StringView json);
[[nodiscard]] Stored<double> stored_reserve(plugin::StringView json);  // 0: none

// What is wrong with such a text where it is flawed, as the end of a sentence about it; empty: nothing. A mistyped budget is
// not no budget: whoever asks this refuses.
[[nodiscard]] plugin::String problem_of_budget(plugin::StringView json);
[[nodiscard]] plugin::String problem_of_lengths(plugin::StringView json);
[[nodiscard]] plugin::String problem_of_reserve(plugin::StringView json);

// What a statement is charged at its end: nothing only where it is certain that it never ran. One that is lost,
// or that nobody can tell about, has cost its time and bytes so far, and never less than was reserved for it.
[[nodiscard]] double charged_cost(const plugin::Outcome& outcome, double reserved);

// 0.001 for every millisecond that the server worked, and 0.000001 for every row, where a row is 64
// bytes of answer; in steps of 0.000000001, as all sums.
[[nodiscard]] double cost_of(const plugin::Outcome& outcome);

// The usage as it stands at `now_ms`: windows that are over are empty and not begun. One with a
// spending but no start, as an operator may have written it, or with a start in the future, begins
// now.
[[nodiscard]] Usage usage_at(const Usage& usage, const WindowLengths& lengths, int64_t now_ms);

// Whether a tenant with this usage, as of now_ms, may run a statement: day, hour, minute, in this
// order, of each cost, rows, bytes.
[[nodiscard]] plugin::Verdict judge(const Usage& usage, const Budget& budget,
                                    const WindowLengths& lengths, int64_t now_ms);

// What of the rows and bytes is left for the next statement: the least of all windows. Requires: judge() lets it run.
struct AnswerLeft {
  plugin::Optional<int64_t> rows;  // nothing: there is no such limit
  plugin::Optional<int64_t> bytes;
};
[[nodiscard]] AnswerLeft left_of(const Usage& usage, const Budget& budget);

// The usage, as of now_ms, with the rows and bytes of an answer added to every window.
[[nodiscard]] Usage count_answer(const Usage& usage, const plugin::Outcome& outcome,
                                 int64_t now_ms);

// What pre_query has charged ahead, and to which windows; 0: nothing.
struct Reservation {
  double cost = 0;
  int64_t start_ms[kWindowCount] = {};
  bool counts_answer = false;  // the budget is one of rows or bytes as well
};

// The JSON text under `config:reserve`, {"cost": 0.05}: what to charge ahead. 0 for any other text, and for
// what is not above 0.
[[nodiscard]] double parse_reserve(plugin::StringView json);

// Whether a statement that may cost `reserve` still fits into every window, and there are rows and bytes left.
[[nodiscard]] plugin::Verdict judge_reserving(const Usage& usage, const Budget& budget,
                                              const WindowLengths& lengths, int64_t now_ms,
                                              double reserve);

// The notes that pre_query leaves, and what they say. Anything else is no reservation.
[[nodiscard]] plugin::String format_reservation(const Reservation& reservation);
[[nodiscard]] Reservation parse_reservation(plugin::StringView notes);

// The usage, as of now_ms, with what a statement really cost in place of what was reserved for it. A window
// that has ended since took the reservation with it.
[[nodiscard]] Usage settle(const Usage& usage, const Reservation& reservation, double cost,
                           int64_t now_ms);

// The usage, as of now_ms, with a cost added to every window.
[[nodiscard]] Usage charge(const Usage& usage, double cost, int64_t now_ms);

}  // namespace helios::cost_governor
