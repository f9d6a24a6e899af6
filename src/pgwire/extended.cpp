// SPDX-License-Identifier: Apache-2.0
#include "pgwire/extended.hpp"

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "pgwire/message_types.hpp"

namespace helios::pgwire {
namespace {

// Counts are unsigned on the wire, as the server reads them.
std::size_t read_count(base::ByteReader& reader) {
  return static_cast<std::uint16_t>(reader.read_i16());
}

// Skips the parameter formats and values of Bind.
void skip_values(base::ByteReader& reader) {
  reader.read_bytes(2 * read_count(reader));
  const std::size_t count = read_count(reader);
  for (std::size_t i = 0; i < count && reader.ok(); ++i) {
    const std::int32_t length = reader.read_i32();
    if (length != -1) reader.read_bytes(static_cast<std::uint32_t>(length));
  }
}

std::string begin_message(char type) { return std::string(1, type) + std::string(4, '\0'); }

std::string end_message(std::string message) {
  base::store_i32(message.data() + 1, static_cast<std::int32_t>(message.size() - 1));
  return message;
}

void append_or_none(std::string& out, std::string_view part, std::size_t counts) {
  if (part.empty()) {
    out.append(2 * counts, '\0');
  } else {
    out.append(part);
  }
}

std::string serialize_close(char kind, std::string_view name) {
  std::string out = begin_message(frontend::kClose);
  out.push_back(kind);
  base::append_cstring(out, name);
  return end_message(std::move(out));
}

}  // namespace

std::optional<ParseView> parse_parse(std::string_view body) {
  base::ByteReader reader(body);
  ParseView view;
  view.statement = reader.read_cstring();
  view.text = reader.read_cstring();
  view.types = body.substr(body.size() - reader.remaining());
  reader.read_bytes(4 * read_count(reader));
  if (!reader.finished()) return std::nullopt;
  return view;
}

std::uint32_t parameter_type(std::string_view types, std::size_t index) {
  base::ByteReader reader(types);
  if (index >= read_count(reader)) return 0;
  reader.read_bytes(4 * index);
  return reader.read_u32();
}

std::optional<BindView> parse_bind(std::string_view body) {
  base::ByteReader reader(body);
  BindView view;
  view.portal = reader.read_cstring();
  view.statement = reader.read_cstring();
  const std::size_t values_at = body.size() - reader.remaining();
  skip_values(reader);
  if (!reader.ok()) return std::nullopt;
  const std::size_t formats_at = body.size() - reader.remaining();
  view.values = body.substr(values_at, formats_at - values_at);
  view.formats = body.substr(formats_at);
  reader.read_bytes(2 * read_count(reader));
  if (!reader.finished()) return std::nullopt;
  return view;
}

std::string_view fault_of_bind(std::string_view body) {
  base::ByteReader reader(body);
  static_cast<void>(reader.read_cstring());
  static_cast<void>(reader.read_cstring());
  if (!reader.ok()) return "invalid string in message";
  skip_values(reader);
  reader.read_bytes(2 * read_count(reader));
  return reader.ok() ? "invalid message format" : "insufficient data left in message";
}

bool read_values(std::string_view values, std::vector<BoundValue>& out) {
  base::ByteReader reader(values);
  const std::size_t formats = read_count(reader);
  base::ByteReader format_reader(reader.read_bytes(2 * formats));
  const std::size_t count = read_count(reader);
  out.clear();
  if (formats > 1 && formats != count) return false;
  std::int16_t format = 0;
  for (std::size_t i = 0; i < count && reader.ok(); ++i) {
    if (i < formats) format = format_reader.read_i16();
    if (format != 0 && format != 1) return false;
    BoundValue& value = out.emplace_back();
    value.is_binary = format == 1;
    const std::int32_t length = reader.read_i32();
    if (length != -1) value.value = reader.read_bytes(static_cast<std::uint32_t>(length));
  }
  return reader.ok();
}

std::optional<ExecuteView> parse_execute(std::string_view body) {
  base::ByteReader reader(body);
  ExecuteView view;
  view.portal = reader.read_cstring();
  view.max_rows = reader.read_i32();
  if (!reader.finished()) return std::nullopt;
  return view;
}

std::optional<TargetView> parse_target(std::string_view body) {
  base::ByteReader reader(body);
  const std::uint8_t kind = reader.read_u8();
  TargetView view{.is_portal = kind == 'P', .name = reader.read_cstring()};
  if (!reader.finished() || (kind != 'P' && kind != 'S')) return std::nullopt;
  return view;
}

std::optional<FunctionCallView> parse_function_call(std::string_view body) {
  constexpr std::size_t kResultFormatBytes = 2;
  base::ByteReader reader(body);
  FunctionCallView view{.function = reader.read_u32(), .values = {}};
  if (!reader.ok()) return std::nullopt;
  const std::string_view rest = body.substr(sizeof view.function);
  view.values = rest.substr(0, rest.size() - std::min(rest.size(), kResultFormatBytes));
  return view;
}

std::string serialize_parse(std::string_view statement, std::string_view text,
                            std::string_view types) {
  std::string out = begin_message(frontend::kParse);
  base::append_cstring(out, statement);
  base::append_cstring(out, text);
  append_or_none(out, types, 1);
  return end_message(std::move(out));
}

std::string serialize_bind(std::string_view portal, std::string_view statement,
                           std::string_view values, std::string_view formats) {
  std::string out = begin_message(frontend::kBind);
  base::append_cstring(out, portal);
  base::append_cstring(out, statement);
  append_or_none(out, values, 2);
  append_or_none(out, formats, 1);
  return end_message(std::move(out));
}

std::string serialize_execute(std::string_view portal, std::int32_t max_rows) {
  std::string out = begin_message(frontend::kExecute);
  base::append_cstring(out, portal);
  base::append_i32(out, max_rows);
  return end_message(std::move(out));
}

std::string serialize_close_statement(std::string_view name) { return serialize_close('S', name); }
std::string serialize_close_portal(std::string_view name) { return serialize_close('P', name); }

std::string serialize_sync() { return end_message(begin_message(frontend::kSync)); }

std::string serialize_flush() { return end_message(begin_message(frontend::kFlush)); }

std::string serialize_function_call(std::uint32_t function) {
  std::string out = begin_message(frontend::kFunctionCall);
  base::append_i32(out, static_cast<std::int32_t>(function));
  base::append_i16(out, 0);  // formats of arguments
  base::append_i16(out, 0);  // arguments
  base::append_i16(out, 0);  // the result's format: text
  return end_message(std::move(out));
}

}  // namespace helios::pgwire
