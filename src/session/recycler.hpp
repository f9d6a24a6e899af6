// SPDX-License-Identifier: Apache-2.0
#pragma once

// The objects that a statement needs on its way, used again for the next one: in the steady state no query
// allocates memory. One for each worker, shared by its sessions.
//
// What is given back keeps its memory, but for what a large statement needed. What is not given back is
// destroyed like anything else.
//
// Thread rule: the worker's.

#include "hooks/statement_execution.hpp"
#include "pgwire/extended.hpp"
#include "session/prepared.hpp"
#include "session/query_run.hpp"

#include <cstddef>
#include <memory>
#include <vector>

namespace helios::session {

class Recycler {
 public:
  // As if it was new.
  [[nodiscard]] std::unique_ptr<QueryRun> make_run();
  [[nodiscard]] std::unique_ptr<hooks::StatementExecution> make_execution();
  // Those that it gave out come back by themselves, when nobody else refers to them.
  [[nodiscard]] std::shared_ptr<Portal> make_portal();

  // Null is ignored.
  void give(std::unique_ptr<QueryRun> run);
  void give(std::unique_ptr<hooks::StatementExecution> execution);

  // For whoever reads the values of a Bind; its content means nothing afterwards.
  std::vector<pgwire::BoundValue> bound_values;

 private:
  std::vector<std::unique_ptr<QueryRun>> runs_;
  std::vector<std::unique_ptr<hooks::StatementExecution>> executions_;
  std::vector<std::shared_ptr<Portal>> portals_;
  std::size_t next_portal_ = 0;
};

}  // namespace helios::session
