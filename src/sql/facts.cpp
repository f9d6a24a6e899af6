// SPDX-License-Identifier: Apache-2.0
#include "sql/facts.hpp"

namespace helios::sql {

std::string_view to_word(StatementKind kind) {
  switch (kind) {
    case StatementKind::unknown: return "unknown";
    case StatementKind::other: return "other";
    case StatementKind::select: return "select";
    case StatementKind::insert: return "insert";
    case StatementKind::update: return "update";
    case StatementKind::delete_: return "delete";
    case StatementKind::merge: return "merge";
    case StatementKind::truncate: return "truncate";
    case StatementKind::copy_from: return "copy_from";
    case StatementKind::copy_to: return "copy_to";
    case StatementKind::call: return "call";
    case StatementKind::do_block: return "do";
    case StatementKind::explain: return "explain";
    case StatementKind::prepare: return "prepare";
    case StatementKind::execute: return "execute";
    case StatementKind::deallocate: return "deallocate";
    case StatementKind::declare: return "declare";
    case StatementKind::fetch: return "fetch";
    case StatementKind::close: return "close";
    case StatementKind::listen: return "listen";
    case StatementKind::unlisten: return "unlisten";
    case StatementKind::notify: return "notify";
    case StatementKind::lock: return "lock";
    case StatementKind::vacuum: return "vacuum";
    case StatementKind::analyze: return "analyze";
    case StatementKind::maintenance: return "maintenance";
    case StatementKind::transaction: return "transaction";
    case StatementKind::set: return "set";
    case StatementKind::show: return "show";
    case StatementKind::discard: return "discard";
    case StatementKind::load: return "load";
    case StatementKind::grant: return "grant";
    case StatementKind::ddl: return "ddl";
  }
  return "unknown";
}

}  // namespace helios::sql
