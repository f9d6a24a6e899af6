// SPDX-License-Identifier: Apache-2.0

// Who is refused, and with what words.

#include "names.hpp"
#include "policy.hpp"

namespace helios::cost_governor {

using plugin::concat;
using plugin::Optional;
using plugin::String;
using plugin::StringView;
using plugin::Verdict;

namespace {

// Sums of reservations are rounded: twenty times 0.05 is a little more than 1.
constexpr double kRoundedSum = 1 + 1e-9;

// Two decimals, or as many more as a small budget needs for two digits.
int decimals_for(double limit) {
  int decimals = 2;
  for (double least = 0.1; limit < least && decimals < 9; least /= 10) ++decimals;
  return decimals;
}

String refusal(int window, StringView of_what, const String& spent, const String& limit,
               int64_t left_ms) {
  return concat("tenant exceeded ", kNames[window].adjective, " budget", of_what, " (", spent, "/",
                limit, ") (retry in ",
                plugin::format_int(left_ms / 1000 + (left_ms % 1000 != 0 ? 1 : 0)), "s)");
}

Verdict refuse_cost(int window, double spent, double limit, int64_t left_ms) {
  const int decimals = decimals_for(limit);
  return plugin::block(refusal(window, "", plugin::format_fixed(spent, decimals),
                               plugin::format_fixed(limit, decimals), left_ms),
                       kExceeded);
}

// Of rows or bytes: the refusal, where there are none left.
Optional<Verdict> refuse_answer(int window, StringView of_what, int64_t spent, int64_t limit,
                                int64_t left_ms) {
  if (limit <= 0 || spent < limit) return {};
  return plugin::block(
      refusal(window, of_what, plugin::format_int(spent), plugin::format_int(limit), left_ms),
      kExceeded);
}

Optional<Verdict> refuse_answers(int window, const Usage& usage, const Budget& budget,
                                 int64_t left_ms) {
  if (const auto refused = refuse_answer(window, " of rows", usage.answers.rows[window],
                                         budget.answers.rows[window], left_ms))
    return refused;
  return refuse_answer(window, " of bytes", usage.answers.bytes[window],
                       budget.answers.bytes[window], left_ms);
}

// How long the window still lasts; one that has not begun would begin now.
int64_t left_ms(int window, const Usage& usage, const WindowLengths& lengths, int64_t now_ms) {
  const int64_t start_ms = usage.start_ms[window] == 0 ? now_ms : usage.start_ms[window];
  return lengths.ms[window] - (now_ms - start_ms);
}

}  // namespace

Verdict judge(const Usage& usage, const Budget& budget, const WindowLengths& lengths,
              int64_t now_ms) {
  for (int i = kWindowCount - 1; i >= 0; --i) {
    const int64_t left = left_ms(i, usage, lengths, now_ms);
    if (budget.limit[i] > 0 && usage.spent[i] >= budget.limit[i])
      return refuse_cost(i, usage.spent[i], budget.limit[i], left);
    if (const auto refused = refuse_answers(i, usage, budget, left)) return *refused;
  }
  return plugin::proceed();
}

Verdict judge_reserving(const Usage& usage, const Budget& budget, const WindowLengths& lengths,
                        int64_t now_ms, double reserve) {
  for (int i = kWindowCount - 1; i >= 0; --i) {
    const int64_t left = left_ms(i, usage, lengths, now_ms);
    if (budget.limit[i] > 0 && usage.spent[i] + reserve > budget.limit[i] * kRoundedSum)
      return refuse_cost(i, usage.spent[i], budget.limit[i], left);
    if (const auto refused = refuse_answers(i, usage, budget, left)) return *refused;
  }
  return plugin::proceed();
}

}  // namespace helios::cost_governor
