// SPDX-License-Identifier: Apache-2.0

// Charges every statement to a counter that all clients share, and draws a token for it from a bucket that they
// share. Of the tenant "few" no more than 100 statements pass.

#include "helios/plugin.hpp"

namespace {

using namespace helios::plugin;

constexpr int64_t kFew = 100;
constexpr Rate kPlenty{.burst = 1000000, .tokens = 1, .period_ms = 1000};

Verdict charge(const QueryContext& context) {
  const Optional<String> tenant = context.tenant();
  if (tenant && *tenant == "few")
    return *kv_charge("few", 1, kFew) ? proceed() : block("there were few");
  if (!*kv_charge("all", 1, HELIOS_NO_UPPER_LIMIT) || !*kv_draw("bucket", kPlenty)) fail();
  return proceed();
}

}  // namespace

HELIOS_PRE_QUERY(charge)
