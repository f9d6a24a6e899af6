// SPDX-License-Identifier: Apache-2.0
#include "session/kv_rows.hpp"

#include "base/text.hpp"
#include "session/kv_snapshot.hpp"
#include "sql/quote.hpp"

namespace helios::session {
namespace {

// Names that no client column is likely to have: arguments that are not constants are evaluated
// where these are in scope.
constexpr std::string_view kRowSource =
    " AS helios_rows(helios_plugin, helios_key, helios_value, helios_version, helios_expires_at)";
constexpr std::string_view kColumns =
    "helios_plugin AS plugin, helios_key AS key, helios_value AS value, helios_version AS version, "
    "helios_expires_at AS expires_at";
constexpr std::string_view kComposite =
    "ROW(helios_plugin, helios_key, helios_value, helios_version, helios_expires_at)";
constexpr std::string_view kNoRows =
    "(SELECT NULL::text, NULL::text, NULL::text, NULL::bigint, NULL::timestamptz WHERE false)";

bool continues_word(char c) {
  const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  return is_letter || (c >= '0' && c <= '9') || c == '$' || static_cast<signed char>(c) < 0;
}

void append_expiry(std::string& out, kv::ExpiryMs expires_at_ms) {
  if (expires_at_ms == kv::kNeverExpires) {
    out += "NULL::timestamptz";
  } else {
    out += "to_timestamp(" + std::to_string(expires_at_ms) + " / 1000.0)";
  }
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

// One call on its way to SQL.
class KvCallRenderer {
 public:
  KvCallRenderer(const sql::KvCall& call, std::string_view text,
                 std::vector<KvSnapshot::Part> parts, std::uint64_t max_bytes)
      : call_(call), text_(text), parts_(std::move(parts)), max_bytes_(max_bytes) {}

  base::Result<std::string> render() const {
    auto query = call_.arguments.size() == 2 ? value_query() : rows_query();
    if (!query) return query;
    std::string out = std::move(*query);
    if (is_table()) out = "LATERAL (" + out + ")";
    if (!call_.has_alias) out += " AS kv";
    return apart(std::move(out));
  }

 private:
  // A call ends in a parenthesis and begins with a name, so the client may have written a word right
  // behind it and an operator right before; where parentheses around it are taken away, a word right before,
  // too. What takes its place must not grow together with them: "kv" with the word, "U&" with a constant.
  [[nodiscard]] std::string apart(std::string out) const {
    const char before = call_.begin > 0 ? text_[call_.begin - 1] : ' ';
    if (before == '&' || continues_word(before)) out.insert(0, 1, ' ');
    if (call_.end < text_.size() && continues_word(text_[call_.end])) out.push_back(' ');
    return out;
  }

  [[nodiscard]] bool is_table() const { return call_.form == sql::KvCall::Form::table; }
  [[nodiscard]] bool is_constant(std::size_t argument) const {
    return call_.arguments[argument].constant.has_value();
  }

  base::Result<std::string> too_large() const {
    return base::fail(base::Errc::limit_exceeded,
                      "helios.kv() would return more than " + std::to_string(max_bytes_) +
                          " bytes ([kv_sql] max_bytes); name a plugin and a key");
  }

  // All rows as a FROM item with the columns of kRowSource.
  base::Result<std::string> row_source() const {
    std::string values;
    for (const KvSnapshot::Part& part : parts_) {
      if (!part.page->complete) return too_large();
      for (const kv::Item& item : part.page->items) {
        append_row(values, part.plugin, item);
        if (values.size() > max_bytes_) return too_large();
      }
    }
    return (values.empty() ? std::string(kNoRows) : values + ")") + std::string(kRowSource);
  }

  void append_condition(std::string& out, std::string_view column, std::size_t argument) const {
    const sql::KvArgument& range = call_.arguments[argument];
    out += out.empty() ? " WHERE " : " AND ";
    out.append(column).append(" = (");
    out.append(text_.substr(range.begin, range.end - range.begin)).append(")");
  }

  [[nodiscard]] std::string conditions() const {
    std::string out;
    const std::size_t count = call_.arguments.size();
    if (count > 0 && !is_constant(0)) append_condition(out, "helios_plugin", 0);
    if (count > 1 && !is_constant(1)) append_condition(out, "helios_key", 1);
    return out;
  }

  // In an expression, a set-returning function must come out again: unnest of an array of rows.
  base::Result<std::string> rows_query() const {
    const auto source = row_source();
    if (!source) return source;
    const std::string from = " FROM " + *source + conditions();
    if (is_table()) return "SELECT " + std::string(kColumns) + from;
    return "unnest(ARRAY(SELECT " + std::string(kComposite) + from + "))";
  }

  base::Result<std::string> value_query() const {
    const bool is_literal = is_constant(0) && is_constant(1);
    auto value = is_literal ? literal() : lookup();
    if (!value || !is_table()) return value;
    return "SELECT " + *value + " AS kv";
  }

  base::Result<std::string> literal() const {
    for (const KvSnapshot::Part& part : parts_) {
      const auto& items = part.page->items;
      if (items.empty() && !part.page->complete) return too_large();
      if (items.empty() || items[0].key != *call_.arguments[1].constant) continue;
      return sql::quote_literal(show_kv_bytes(items[0].value)) + "::text";
    }
    return std::string("NULL::text");
  }

  base::Result<std::string> lookup() const {
    const auto source = is_constant(1) ? key_source() : row_source();
    if (!source) return source;
    return "(SELECT helios_value FROM " + *source + conditions() + ")";
  }

  // Rows of one constant key in every namespace.
  base::Result<std::string> key_source() const {
    std::string values;
    for (const KvSnapshot::Part& part : parts_) {
      const auto& items = part.page->items;
      if (items.empty() || items[0].key != *call_.arguments[1].constant) continue;
      append_row(values, part.plugin, items[0]);
      if (values.size() > max_bytes_) return too_large();
    }
    return (values.empty() ? std::string(kNoRows) : values + ")") + std::string(kRowSource);
  }

  const sql::KvCall& call_;
  std::string_view text_;
  std::vector<KvSnapshot::Part> parts_;
  std::uint64_t max_bytes_;
};

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

base::Result<std::vector<std::string>> describe_kv_calls(std::span<const sql::KvCall> calls,
                                                         std::string_view text) {
  std::vector<std::string> texts;
  for (const sql::KvCall& call : calls) {
    auto rendered = KvCallRenderer(call, text, {}, 0).render();
    if (!rendered) return std::unexpected(rendered.error());
    texts.push_back(std::move(*rendered));
  }
  return texts;
}

base::Result<std::vector<std::string>> render_kv_calls(std::span<const sql::KvCall> calls,
                                                       std::string_view text, kv::Store& store,
                                                       std::uint64_t max_bytes) {
  const auto snapshot = KvSnapshot::read(calls, store, max_bytes);
  if (!snapshot) return std::unexpected(snapshot.error());
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    auto rendered = KvCallRenderer(calls[i], text, snapshot->parts_of(i), max_bytes).render();
    if (!rendered) return std::unexpected(rendered.error());
    texts.push_back(std::move(*rendered));
  }
  return texts;
}

}  // namespace helios::session
