// SPDX-License-Identifier: Apache-2.0

// The cost governor's policy with a planted fault: windows never end. Everything else is the real
// code, compiled under another name for the function that is replaced.

#define usage_at sound_usage_at
#include "cost-governor/policy.cpp"
#undef usage_at

namespace helios::cost_governor {

Usage usage_at(const Usage& usage, const WindowLengths&, int64_t now_ms) {
  constexpr WindowLengths kEndless = {.ms = {INT64_MAX, INT64_MAX, INT64_MAX}};
  return sound_usage_at(usage, kEndless, now_ms);
}

}  // namespace helios::cost_governor
