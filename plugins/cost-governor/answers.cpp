// SPDX-License-Identifier: Apache-2.0

// Budgets of rows and bytes: what is left of them, and what an answer takes of it.

#include "policy.hpp"

namespace helios::cost_governor {

using plugin::Optional;
using plugin::Outcome;

namespace {

Optional<int64_t> least_left(const int64_t (&limit)[kWindowCount],
                             const int64_t (&used)[kWindowCount]) {
  Optional<int64_t> least;
  for (int i = 0; i < kWindowCount; ++i) {
    if (limit[i] <= 0) continue;
    const int64_t left = limit[i] > used[i] ? limit[i] - used[i] : 0;
    if (!least || left < *least) least = left;
  }
  return least;
}

int64_t sum_of(int64_t used, int64_t more) {
  int64_t sum = 0;
  return __builtin_add_overflow(used, more, &sum) ? INT64_MAX : sum;
}

}  // namespace

AnswerLeft left_of(const Usage& usage, const Budget& budget) {
  return {least_left(budget.answers.rows, usage.answers.rows),
          least_left(budget.answers.bytes, usage.answers.bytes)};
}

Usage count_answer(const Usage& usage, const Outcome& outcome, int64_t now_ms) {
  Usage counted = usage;
  for (int i = 0; i < kWindowCount; ++i) {
    if (counted.start_ms[i] == 0) counted.start_ms[i] = now_ms;
    counted.answers.rows[i] = sum_of(counted.answers.rows[i], outcome.rows.value_or(0));
    counted.answers.bytes[i] = sum_of(counted.answers.bytes[i], outcome.response_bytes);
  }
  return counted;
}

}  // namespace helios::cost_governor
