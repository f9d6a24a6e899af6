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
#include "session/names.hpp"
#include "session/query_run.hpp"

#include <cstddef>
#include <memory>
#include <vector>

namespace helios::session {

template <typename T>
struct SharedStock {
  std::vector<std::shared_ptr<T>> objects;
  std::size_t next = 0;  // was given out longest ago
};

class Recycler {
 public:
  // As if it was new.
  [[nodiscard]] std::unique_ptr<QueryRun> make_run();
  [[nodiscard]] std::unique_ptr<hooks::StatementExecution> make_execution();
  // An object of these is used again as soon as the caller has dropped its last reference.
  [[nodiscard]] std::shared_ptr<Portal> make_portal();
  [[nodiscard]] std::shared_ptr<BoundStatement> make_bound();

  // Null is ignored.
  void give(std::unique_ptr<QueryRun> run);
  void give(std::unique_ptr<hooks::StatementExecution> execution);

  // For whoever reads the values of a Bind; its content means nothing afterwards.
  std::vector<pgwire::BoundValue> bound_values;

 private:
  std::vector<std::unique_ptr<QueryRun>> runs_;
  std::vector<std::unique_ptr<hooks::StatementExecution>> executions_;
  SharedStock<Portal> portals_;
  SharedStock<BoundStatement> bound_;
};

}  // namespace helios::session
