// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a statement does to names once it has succeeded: PREPARE and DECLARE define them, DEALLOCATE, CLOSE and DISCARD end
// them.
//
// Thread rule: the session's.

#include "session/name_log.hpp"
#include "session/query_run.hpp"
#include "session/session_context.hpp"
#include "sql/analysis.hpp"

namespace helios::session {

// `statement`, one of `message`, is being forwarded: notes in SessionContext::names what it will have done. Returns what
// is to be settled when the server has answered. `rules`: by which its text was read.
[[nodiscard]] NameChanges note_names(SessionContext& context, const QueryRun& message,
                                     const StatementRun& statement, sql::ReadingRules rules);

}  // namespace helios::session
