// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the proxy itself objects to, before any plugin is asked: names that the server may read otherwise, an EXECUTE that
// runs something else than hooks are shown, a change of what is fixed, a tenant that nobody knows.
//
// Pure: nothing here changes the session. Each returns the refusal, or nullopt where there is nothing against it.

#include "config/config.hpp"
#include "hooks/chain.hpp"
#include "hooks/statement_execution.hpp"
#include "session/query_run.hpp"
#include "session/refusal.hpp"
#include "session/session_context.hpp"
#include "session/settings.hpp"
#include "sql/analysis.hpp"

#include <optional>
#include <vector>

namespace helios::session {

// What a statement is judged on. `config` and `chain` are of the snapshot that judges the message, whatever is reloaded
// meanwhile; `settings` are those that the statement will meet.
struct Grounds {
  const SessionContext& context;
  const config::Config& config;
  const hooks::Chain& chain;
  const Settings& settings;
};

// The tenant that hooks would be told is unknown, and nobody may be told one then.
[[nodiscard]] bool hides_tenant(const Grounds& grounds);

// To what the statement does to settings that are fixed, or to running it under a tenant that is unknown, or under one that is blocked.
[[nodiscard]] std::optional<Refusal> objection_to(const Grounds& grounds,
                                                  const sql::Statement& statement);
// Does it only manage the session, or do nothing but set the tenant to a constant, in the words of SELECT set_config()?
// Then it runs also where [tenant] required is set and there is none: otherwise nobody could get one.
[[nodiscard]] bool may_run_without_tenant(const sql::Statement& statement);
// To running the statement without a tenant where one is required.
[[nodiscard]] std::optional<Refusal> objection_to_no_tenant(const Identity& identity,
                                                            const config::Tenant& rules,
                                                            const Settings& settings,
                                                            const sql::Statement& statement);
// To the names that it uses or ends.
[[nodiscard]] std::optional<Refusal> objection_to_names(const Grounds& grounds,
                                                        const sql::Statement& statement);
// To an EXECUTE whose name stands for `named`; null: nothing is known of that yet, and only what the EXECUTE shows by itself
// counts.
[[nodiscard]] std::optional<Refusal> objection_to_execute(const Grounds& grounds,
                                                          const sql::Statement& execute,
                                                          const sql::Statement* named);
// To running under `settings` what was judged at its Bind: its tenant was told to the hooks, and has to be in force.
[[nodiscard]] std::optional<Refusal> objection_to_run(const SessionContext& context,
                                                      const Settings& settings,
                                                      const StatementRun& judged);

// Deferred triggers and cursors WITH HOLD work in a COMMIT, and SHOW has rows. What else manages the session does nothing that a
// tenant could be charged with; and it is how a client gets out where the tenant is unknown.
[[nodiscard]] bool may_work(const sql::Statement& statement);

// May the server read a cursor for it: by FETCH, by a function that is given the cursor's name, or, for a COMMIT, by a trigger
// that was put off?
[[nodiscard]] bool may_read_cursors(const sql::Statement& statement);

// What an EXECUTE gives as parameters; nullopt: some of them only the server knows. Views into it.
[[nodiscard]] std::optional<std::vector<hooks::Parameter>> parameters_of(
    const sql::Statement& execute);
// By itself, and not by what an EXECUTE or FETCH runs.
[[nodiscard]] bool changes_settings_itself(const sql::Statement& statement);

}  // namespace helios::session
