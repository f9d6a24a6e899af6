// SPDX-License-Identifier: Apache-2.0
#include "session/prepared.hpp"

namespace helios::session {

StatementPool::Statement StatementPool::find(std::string_view text, std::string_view types,
                                             sql::ReadingRules rules) const {
  const auto found = statements_.find(Key{text, types, rules});
  return found == statements_.end() ? nullptr : found->statement.lock();
}

StatementPool::Statement StatementPool::intern(std::string_view text, std::string_view types,
                                               sql::ReadingRules rules,
                                               std::shared_ptr<const sql::Analysis> analysis) {
  if (Statement known = find(text, types, rules)) return known;
  auto made = std::make_unique<PreparedStatement>(
      PreparedStatement{std::string(text), std::string(types), rules, std::move(analysis)});
  const auto forget = [pool = weak_from_this()](const PreparedStatement* statement) {
    if (const auto alive = pool.lock()) {
      if (const auto entry = alive->statements_.find(key_of(*statement));
          entry != alive->statements_.end()) {
        alive->statements_.erase(entry);
      }
    }
    delete statement;
  };
  const Statement statement(made.release(), forget);
  statements_.insert({key_of(*statement), statement});
  return statement;
}

}  // namespace helios::session
