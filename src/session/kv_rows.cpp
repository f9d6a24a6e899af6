// SPDX-License-Identifier: Apache-2.0
#include "session/kv_rows.hpp"

#include "base/text.hpp"
#include "kv/namespace_name.hpp"
#include "sql/quote.hpp"

#include <cstring>
#include <limits>
#include <vector>

namespace helios::session {
namespace {

// Names that no client column is likely to have: arguments that are not constants are evaluated
// where these are in scope.
constexpr std::string_view kRowSource =
    " AS helios_rows(helios_plugin, helios_key, helios_value, helios_version, helios_expires_at)";
constexpr std::string_view kColumns =
    "helios_plugin AS plugin, helios_key AS key, helios_value AS value, helios_version AS version, "
    "helios_expires_at AS expires_at";
constexpr std::string_view kNoRows =
    "(SELECT NULL::text, NULL::text, NULL::text, NULL::bigint, NULL::timestamptz WHERE false)";

struct Rows {
  std::string values;  // "(VALUES (...), (...))" or kNoRows
};

void append_expiry(std::string& out, kv::ExpiryMs expires_at_ms) {
  if (expires_at_ms == kv::kNeverExpires) {
    out += "NULL::timestamptz";
    return;
  }
  out += "to_timestamp(" + std::to_string(expires_at_ms) + " / 1000.0)";
}

// The first row carries the casts that give the columns their types.
void append_row(std::string& out, std::string_view plugin, const kv::Item& item) {
  const bool is_first = out.empty();
  out += is_first ? "(VALUES (" : ", (";
  const char* text = is_first ? "::text, " : ", ";
  out += sql::quote_literal(plugin) + text;
  out += sql::quote_literal(show_kv_bytes(item.key)) + text;
  out += sql::quote_literal(show_kv_bytes(item.value)) + text;
  out += std::to_string(item.version) + (is_first ? "::bigint, " : ", ");
  append_expiry(out, item.expires_at_ms);
  out += ")";
}

base::Result<Rows> too_large(std::uint64_t max_bytes) {
  return base::fail(base::Errc::limit_exceeded,
                    "helios.kv() would return more than " + std::to_string(max_bytes) +
                        " bytes ([kv_sql] max_bytes); name a plugin and a key");
}

base::Result<Rows> rows_of(const std::vector<kv::Namespace*>& spaces, kv::Store& store,
                           std::string_view prefix, std::uint64_t max_bytes) {
  Rows rows;
  for (kv::Namespace* space : spaces) {
    const kv::ScanRange range{.prefix = prefix,
                              .after = {},
                              .max_items = std::numeric_limits<std::uint64_t>::max(),
                              .max_bytes = max_bytes};
    const kv::ScanPage page = store.scan(*space, range);
    if (!page.complete) return too_large(max_bytes);
    for (const kv::Item& item : page.items) {
      append_row(rows.values, space->name(), item);
      if (rows.values.size() > max_bytes) return too_large(max_bytes);
    }
  }
  if (rows.values.empty()) {
    rows.values = kNoRows;
  } else {
    rows.values += ")";
  }
  return rows;
}

// The namespaces a first argument selects: the one it names, or all when it is not a constant.
base::Result<std::vector<kv::Namespace*>> spaces_of(const sql::KvCall& call, kv::Store& store) {
  if (call.arguments.empty() || !call.arguments[0].constant) return store.namespaces();
  auto name = kv::namespace_name(*call.arguments[0].constant);
  if (!name) return std::unexpected(name.error());
  std::vector<kv::Namespace*> spaces;
  if (kv::Namespace* space = store.find(*name)) spaces.push_back(space);
  return spaces;
}

void append_condition(std::string& out, std::string_view column, const sql::KvArgument& argument,
                      std::string_view text) {
  out += out.empty() ? " WHERE " : " AND ";
  out += column;
  out += " = (";
  out += text.substr(argument.begin, argument.end - argument.begin);
  out += ")";
}

std::string as_table(std::string query, const sql::KvCall& call) {
  std::string out = "LATERAL (" + std::move(query) + ")";
  if (!call.has_alias) out += " AS kv";
  return out;
}

base::Result<std::string> render_value(const sql::KvCall& call, std::string_view text,
                                       kv::Store& store, std::uint64_t max_bytes);

}  // namespace

std::string show_kv_bytes(std::string_view bytes) {
  const bool is_text = base::is_valid_utf8(bytes) && bytes.find('\0') == std::string_view::npos;
  if (is_text) return std::string(bytes);
  if (bytes.size() != sizeof(std::uint64_t)) return "\\x" + base::to_hex(bytes);
  std::uint64_t counter = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    counter |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  }
  return std::to_string(static_cast<std::int64_t>(counter));
}

base::Result<std::string> render_kv_call(const sql::KvCall& call, std::string_view text,
                                         kv::Store& store, std::uint64_t max_bytes) {
  if (call.arguments.size() == 2) return render_value(call, text, store, max_bytes);
  const auto spaces = spaces_of(call, store);
  if (!spaces) return std::unexpected(spaces.error());
  const auto rows = rows_of(*spaces, store, {}, max_bytes);
  if (!rows) return std::unexpected(rows.error());
  std::string conditions;
  if (!call.arguments.empty() && !call.arguments[0].constant) {
    append_condition(conditions, "helios_plugin", call.arguments[0], text);
  }
  std::string query = "SELECT ";
  query.append(kColumns)
      .append(" FROM ")
      .append(rows->values)
      .append(kRowSource)
      .append(conditions);
  return as_table(std::move(query), call);
}

namespace {

// Both arguments are constants: the value itself.
base::Result<std::string> render_constant(const sql::KvCall& call,
                                          const std::vector<kv::Namespace*>& spaces,
                                          kv::Store& store, std::uint64_t max_bytes) {
  const std::string& key = *call.arguments[1].constant;
  // Of all keys with this prefix the key itself comes first.
  const kv::ScanRange range{.prefix = key, .after = {}, .max_items = 1, .max_bytes = max_bytes};
  for (kv::Namespace* space : spaces) {
    const kv::ScanPage page = store.scan(*space, range);
    if (page.items.empty() && !page.complete) return std::unexpected(too_large(max_bytes).error());
    if (page.items.empty() || page.items[0].key != key) continue;
    return sql::quote_literal(show_kv_bytes(page.items[0].value)) + "::text";
  }
  return std::string("NULL::text");
}

base::Result<std::string> render_lookup(const sql::KvCall& call, std::string_view text,
                                        const std::vector<kv::Namespace*>& spaces, kv::Store& store,
                                        std::uint64_t max_bytes) {
  const auto rows = rows_of(spaces, store, {}, max_bytes);
  if (!rows) return std::unexpected(rows.error());
  std::string conditions;
  if (!call.arguments[0].constant) {
    append_condition(conditions, "helios_plugin", call.arguments[0], text);
  }
  append_condition(conditions, "helios_key", call.arguments[1], text);
  return "(SELECT helios_value FROM " + rows->values + std::string(kRowSource) + conditions + ")";
}

base::Result<std::string> render_value(const sql::KvCall& call, std::string_view text,
                                       kv::Store& store, std::uint64_t max_bytes) {
  const auto spaces = spaces_of(call, store);
  if (!spaces) return std::unexpected(spaces.error());
  const bool is_constant = call.arguments[0].constant && call.arguments[1].constant;
  auto value = is_constant ? render_constant(call, *spaces, store, max_bytes)
                           : render_lookup(call, text, *spaces, store, max_bytes);
  if (!value || call.form == sql::KvCall::Form::scalar) return value;
  return as_table("SELECT " + *value + " AS kv", call);
}

}  // namespace
}  // namespace helios::session
