// SPDX-License-Identifier: Apache-2.0
#pragma once

// Makes statements of the records of a trail, in the order in which they began. No I/O.
//
// A statement is ready when its outcome and its settlement have come; it waits for those that began before it. What waits is
// bounded: beyond kMostOpen statements, or kMostBytes of their records, the oldest is given as far as it is known. So no
// trail, whoever wrote it, takes more memory than that.

#include "base/result.hpp"
#include "cli/audit_statement.hpp"
#include "cli/record_parser.hpp"
#include "cli/statement_filter.hpp"
#include "kv/stream.hpp"

#include <boost/json/object.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace helios::cli {

// Flow: 1 add() every record, in order; 2 release(), whenever no more are there and somebody waits for more; 3 finish().
// Errors are those of `use`. Thread rule: one thread.
class StatementJoiner {
 public:
  static constexpr std::size_t kMostOpen = 10'000;
  static constexpr std::uint64_t kMostBytes = 64ULL << 20;

  // Gets the fields (to_object()) of each statement that fits.
  using OnStatement = std::function<base::Result<void>(const boost::json::object& fields)>;

  // `filter` outlives this.
  StatementJoiner(const StatementFilter& filter, OnStatement use,
                  std::size_t most_open = kMostOpen);

  // `begins`: an intent begins a statement; otherwise only what began before is looked at.
  [[nodiscard]] base::Result<void> add(kv::StreamRecord record, bool begins = true);

  // Gives those that have waited since the last call, as far as they are known, so that a long statement holds nobody up.
  // What becomes known of one of them later is given again, by then with more fields.
  [[nodiscard]] base::Result<void> release();

  // Gives everything that waits.
  [[nodiscard]] base::Result<void> finish();

  // Statements began whose end has not come.
  [[nodiscard]] bool has_open() const { return !numbers_.empty(); }
  // How many were given, or forgotten, before their end because too many were open.
  [[nodiscard]] std::uint64_t given_up() const { return given_up_; }
  // How many records are none of audit-chain, or contradict an earlier one: `audit verify` names them.
  [[nodiscard]] std::uint64_t strange() const { return strange_; }

 private:
  struct Entry {
    Statement statement;
    std::string request;
    bool has_waited = false;   // release() has seen it
    bool has_changed = false;  // since it was given
  };
  using Entries = std::map<kv::RecordNumber, Entry>;

  [[nodiscard]] base::Result<void> begin(std::string_view request, kv::StreamRecord record);
  [[nodiscard]] base::Result<void> go_on(std::string_view request, std::string_view type,
                                         kv::StreamRecord record, bool is_last);
  [[nodiscard]] base::Result<void> settle(kv::RecordNumber number);
  [[nodiscard]] base::Result<void> use_ready();
  [[nodiscard]] base::Result<void> make_room();
  [[nodiscard]] base::Result<void> use(const Statement& statement);
  void forget(Entries& entries, Entries::iterator at);
  [[nodiscard]] Entry& entry_at(kv::RecordNumber number);

  const StatementFilter& filter_;
  const OnStatement use_;
  const std::size_t most_open_;
  RecordParser parser_;
  Entries waiting_;   // not given yet, complete or not, in their order
  Entries released_;  // given by release(), and not complete
  // Of those that are not complete: which began with which record.
  std::map<std::string, kv::RecordNumber, std::less<>> numbers_;
  std::uint64_t bytes_ = 0;  // of the records in waiting_ and released_
  std::uint64_t given_up_ = 0;
  std::uint64_t strange_ = 0;
};

}  // namespace helios::cli
