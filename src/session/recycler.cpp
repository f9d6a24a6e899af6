// SPDX-License-Identifier: Apache-2.0
#include "session/recycler.hpp"

#include "base/renew.hpp"

#include <utility>

namespace helios::session {
namespace {

// Of each kind; a worker serves few sessions at the very same moment.
constexpr std::size_t kMaxKept = 64;
// What a string or list keeps for the next.
constexpr std::size_t kMaxKeptBytes = 4096;

template <typename Container>
Container emptied(Container& container) {
  if (container.capacity() * sizeof(typename Container::value_type) > kMaxKeptBytes) return {};
  container.clear();
  return std::move(container);
}

template <typename T>
std::unique_ptr<T> take(std::vector<std::unique_ptr<T>>& kept) {
  if (kept.empty()) return std::make_unique<T>();
  auto taken = std::move(kept.back());
  kept.pop_back();
  return taken;
}

void reset(QueryRun& run) {
  auto own_text = emptied(run.own_text);
  auto statements = emptied(run.statements);
  base::renew(run);
  run.own_text = std::move(own_text);
  run.statements = std::move(statements);
}

void reset(hooks::StatementExecution& execution) {
  auto parameters = emptied(execution.parameters);
  auto plugins = emptied(execution.plugins);
  base::renew(execution);
  execution.parameters = std::move(parameters);
  execution.plugins = std::move(plugins);
}

void reset(Portal& portal) { base::renew(portal); }

void reset(BoundStatement& bound) {
  auto values = emptied(bound.values);
  auto formats = emptied(bound.formats);
  auto parameters = emptied(bound.parameters);
  base::renew(bound);
  bound.values = std::move(values);
  bound.formats = std::move(formats);
  bound.parameters = std::move(parameters);
}

// The one that was given out longest ago, if nobody refers to it any more; else a new one.
template <typename T>
std::shared_ptr<T> take(SharedStock<T>& stock) {
  std::shared_ptr<T>* oldest = nullptr;
  if (!stock.objects.empty()) {
    oldest = &stock.objects[stock.next];
    stock.next = (stock.next + 1) % stock.objects.size();
    if (oldest->use_count() == 1) {
      reset(**oldest);
      return *oldest;
    }
  }
  if (stock.objects.size() < kMaxKept) return stock.objects.emplace_back(std::make_shared<T>());
  return *oldest = std::make_shared<T>();
}

}  // namespace

std::unique_ptr<QueryRun> Recycler::make_run() { return take(runs_); }

std::unique_ptr<hooks::StatementExecution> Recycler::make_execution() { return take(executions_); }

std::shared_ptr<Portal> Recycler::make_portal() { return take(portals_); }

std::shared_ptr<BoundStatement> Recycler::make_bound() { return take(bound_); }

void Recycler::give(std::unique_ptr<QueryRun> run) {
  if (!run || runs_.size() >= kMaxKept) return;
  for (StatementRun& statement : run->statements) give(std::move(statement.execution));
  reset(*run);
  runs_.push_back(std::move(run));
}

void Recycler::give(std::unique_ptr<hooks::StatementExecution> execution) {
  if (!execution || executions_.size() >= kMaxKept) return;
  reset(*execution);
  executions_.push_back(std::move(execution));
}

}  // namespace helios::session
