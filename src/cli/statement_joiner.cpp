// SPDX-License-Identifier: Apache-2.0
#include "cli/statement_joiner.hpp"

#include "cli/audit_trail.hpp"
#include "cli/json_answer.hpp"

#include <utility>

namespace helios::cli {
namespace {

namespace json = boost::json;

std::uint64_t bytes_of(const Statement& statement) {
  return statement.intent.bytes.size() + (statement.outcome ? statement.outcome->bytes.size() : 0) +
         (statement.settlement ? statement.settlement->bytes.size() : 0);
}

}  // namespace

StatementJoiner::StatementJoiner(const StatementFilter& filter, OnStatement use,
                                 std::size_t most_open)
    : filter_(filter), use_(std::move(use)), most_open_(most_open) {}

base::Result<void> StatementJoiner::add(kv::StreamRecord record, bool begins) {
  const auto parsed = parser_.parse(record.bytes);
  const std::string_view request = parsed ? view_of(**parsed, "request") : std::string_view();
  if (!parsed || request.size() > kMaxRequestBytes) {
    ++strange_;
    return {};
  }
  const std::string_view type = view_of(**parsed, "type");
  if (type == "outcome" || type == "settlement") {
    const bool is_last = type == "settlement" || has_settlement(**parsed);
    return go_on(request, type, std::move(record), is_last);
  }
  if (type != "intent" || !begins || !filter_.may_fit(**parsed)) return {};
  return begin(request, std::move(record));
}

base::Result<void> StatementJoiner::begin(std::string_view request, kv::StreamRecord record) {
  const kv::RecordNumber number = record.number;
  if (!numbers_.emplace(request, number).second) {
    ++strange_;
    return {};
  }
  bytes_ += record.bytes.size();
  Entry& entry = waiting_[number];
  entry.request = request;
  entry.statement.intent = std::move(record);
  return make_room();
}

base::Result<void> StatementJoiner::go_on(std::string_view request, std::string_view type,
                                          kv::StreamRecord record, bool is_last) {
  const auto known = numbers_.find(request);
  if (known == numbers_.end()) return {};  // of a statement that nobody wants, or began before
  const kv::RecordNumber number = known->second;
  Entry& entry = entry_at(number);
  auto& place = type == "outcome" ? entry.statement.outcome : entry.statement.settlement;
  if (place || (is_last && entry.statement.settlement)) {
    ++strange_;
    return {};
  }
  const std::uint64_t before = bytes_of(entry.statement);
  place = std::move(record);
  if (is_last) entry.statement.settlement = place;
  bytes_ += bytes_of(entry.statement) - before;
  entry.has_changed = true;
  if (!entry.statement.is_complete()) return make_room();
  numbers_.erase(known);
  return settle(number);
}

// The statement has got its last record.
base::Result<void> StatementJoiner::settle(kv::RecordNumber number) {
  if (const auto at = released_.find(number); at != released_.end()) {
    const Statement statement = std::move(at->second.statement);
    bytes_ -= bytes_of(statement);
    released_.erase(at);
    return use(statement);
  }
  const auto at = waiting_.find(number);
  if (at == waiting_.begin()) return use_ready();
  // Nothing that does not fit has to wait.
  const auto fields = to_object(at->second.statement);
  if (fields && filter_.fits(*fields)) return make_room();
  bytes_ -= bytes_of(at->second.statement);
  waiting_.erase(at);
  return {};
}

base::Result<void> StatementJoiner::use_ready() {
  while (!waiting_.empty() && waiting_.begin()->second.statement.is_complete()) {
    const Statement statement = std::move(waiting_.begin()->second.statement);
    bytes_ -= bytes_of(statement);
    waiting_.erase(waiting_.begin());
    if (auto used = use(statement); !used) return used;
  }
  return {};
}

base::Result<void> StatementJoiner::make_room() {
  while (waiting_.size() + released_.size() > most_open_ || bytes_ > kMostBytes) {
    ++given_up_;
    if (!released_.empty()) {
      forget(released_, released_.begin());
      continue;
    }
    const Statement statement = waiting_.begin()->second.statement;
    forget(waiting_, waiting_.begin());
    if (auto used = use(statement); !used) return used;
    if (auto used = use_ready(); !used) return used;
  }
  return {};
}

base::Result<void> StatementJoiner::release() {
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    const auto here = at++;
    if (!std::exchange(here->second.has_waited, true)) break;  // those behind it are newer
    Entry entry = std::move(here->second);
    const kv::RecordNumber number = here->first;
    waiting_.erase(here);
    if (auto used = use(entry.statement); !used) return used;
    entry.has_changed = false;
    if (entry.statement.is_complete()) {
      bytes_ -= bytes_of(entry.statement);
    } else {
      released_.emplace(number, std::move(entry));
    }
  }
  for (auto& [number, entry] : waiting_) entry.has_waited = true;
  for (auto& [number, entry] : released_) {
    if (!std::exchange(entry.has_changed, false)) continue;
    if (auto used = use(entry.statement); !used) return used;
  }
  return use_ready();
}

base::Result<void> StatementJoiner::finish() {
  for (const auto& [number, entry] : waiting_) {
    if (auto used = use(entry.statement); !used) return used;
  }
  waiting_.clear();
  released_.clear();
  numbers_.clear();
  bytes_ = 0;
  return {};
}

base::Result<void> StatementJoiner::use(const Statement& statement) {
  const auto fields = to_object(statement);
  return fields && filter_.fits(*fields) ? use_(*fields) : base::Result<void>();
}

void StatementJoiner::forget(Entries& entries, Entries::iterator at) {
  // Of one that is complete the name may be another's by now.
  if (!at->second.statement.is_complete()) numbers_.erase(at->second.request);
  bytes_ -= bytes_of(at->second.statement);
  entries.erase(at);
}

StatementJoiner::Entry& StatementJoiner::entry_at(kv::RecordNumber number) {
  const auto at = waiting_.find(number);
  return at != waiting_.end() ? at->second : released_.at(number);
}

}  // namespace helios::cli
