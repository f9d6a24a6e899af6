// SPDX-License-Identifier: Apache-2.0

// Counts the statements of each tenant under the tenant's name, and refuses those that say "forbidden".

#include "helios/plugin.hpp"

using namespace helios::plugin;

static bool contains(StringView text, StringView part) {
  for (size_t at = 0; at + part.size() <= text.size(); ++at)
    if (text.part(at, part.size()) == part) return true;
  return false;
}

static Verdict count(const QueryContext& context) {
  if (contains(context.query(), "forbidden")) return block("forbidden here");
  const auto tenant = context.attribute("tenant_id");
  if (!tenant) return proceed();
  const int64_t so_far = parse_int(kv_read(*tenant).value_or("0")).value_or(0);
  if (!kv_write(*tenant, format_int(so_far + 1))) return block("the counter cannot be kept");
  return proceed();
}

HELIOS_PRE_QUERY(count)
