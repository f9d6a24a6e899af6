// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the records of the trail are, as pure functions. README.md describes the format. What was written never
// changes: `heliosproxy audit verify` hashes the bytes as they stand.

#include "helios/plugin.hpp"

#include <stdint.h>

namespace helios::audit_chain {

// No record is larger, whatever the client sends.
inline constexpr size_t kMaxRecordBytes = 60'000;

// What a statement is about to do, and for whom.
[[nodiscard]] plugin::String format_intent(int64_t now_ms, const plugin::QueryContext& context);

// What became of it; and of its transaction, where that is known by now. `is_rewritten`: the text that ran is not that
// of the intent.
[[nodiscard]] plugin::String format_outcome(int64_t now_ms, const plugin::QueryContext& context,
                                            const plugin::Outcome& outcome,
                                            const plugin::Optional<plugin::Settlement>& settlement,
                                            bool is_rewritten);

// What became of the transaction that it ran in, where that came later.
[[nodiscard]] plugin::String format_settlement(int64_t now_ms, const plugin::QueryContext& context,
                                               plugin::Settlement settlement);

// What happened beside statements: `kind` is a word, `json` one JSON object.
[[nodiscard]] plugin::String format_event(int64_t now_ms, plugin::StringView kind,
                                          plugin::StringView json);

// The trail goes on where a chain of version 1 or 2 ended, of which this is the head, as it stands under its key.
// Nothing when `head` is none.
[[nodiscard]] plugin::Optional<plugin::String> format_carried(int64_t now_ms,
                                                              plugin::StringView head);

}  // namespace helios::audit_chain
