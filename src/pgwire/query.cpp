// SPDX-License-Identifier: Apache-2.0
#include "pgwire/query.hpp"

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "pgwire/message_types.hpp"

namespace helios::pgwire {

std::optional<std::string_view> parse_query(std::string_view body) {
  base::ByteReader reader(body);
  const std::string_view text = reader.read_cstring();
  if (!reader.finished()) return std::nullopt;
  return text;
}

std::string serialize_query(std::string_view text) {
  std::string out(1, frontend::kQuery);
  base::append_i32(out, static_cast<std::int32_t>(4 + text.size() + 1));
  base::append_cstring(out, text);
  return out;
}

std::string serialize_copy_fail(std::string_view reason) {
  std::string out(1, frontend::kCopyFail);
  base::append_i32(out, static_cast<std::int32_t>(4 + reason.size() + 1));
  base::append_cstring(out, reason);
  return out;
}

std::string serialize_terminate() {
  std::string out(1, frontend::kTerminate);
  base::append_i32(out, 4);
  return out;
}

}  // namespace helios::pgwire
