// SPDX-License-Identifier: Apache-2.0
#include "fuzz/support/session_script.hpp"

#include "pgwire/extended.hpp"
#include "pgwire/message_types.hpp"
#include "pgwire/query.hpp"
#include "unit/session/session_harness.hpp"

#include <algorithm>
#include <array>

namespace helios::fuzz {
namespace {

namespace fe = pgwire::frontend;
namespace be = pgwire::backend;
using namespace session::test;

std::string without_nul(std::string_view text) {
  std::string result(text);
  std::erase(result, '\0');
  return result;
}

std::string raw(std::string_view text) {
  std::string bytes(text);
  std::ranges::replace(bytes, '|', '\0');
  return bytes;
}

Event::Kind kind_of(char letter) {
  using Kind = Event::Kind;
  switch (letter) {
    case 'e': return Kind::client_eof;
    case 'l': return Kind::client_lost;
    case 's': return Kind::server_eof;
    case 'c': return Kind::server_connected;
    case 'f': return Kind::server_failed;
    case 'k': return Kind::cancel;
    case 'd': return Kind::drain;
    case 'D': return Kind::drain_at_once;
    case 't': return Kind::time_passes;
    default: return Kind::client_bytes;
  }
}

}  // namespace

std::string client_message(char type, std::string_view text) {
  using namespace std::string_literals;
  switch (type) {
    case fe::kQuery: return pgwire::serialize_query(without_nul(text));
    case fe::kParse: return pgwire::serialize_parse("", without_nul(text));
    case fe::kBind: return message(type, without_nul(text) + "\0\0\0\0\0\0\0\0"s);
    case fe::kExecute: return message(type, without_nul(text) + "\0\0\0\0\0"s);
    case fe::kDescribe:
    case fe::kClose: return message(type, "S" + without_nul(text) + '\0');
    default: return message(type, text);
  }
}

std::string server_message(char type, std::string_view text) {
  using namespace std::string_literals;
  switch (type) {
    case be::kCommandComplete: return complete(without_nul(text));
    case be::kReadyForQuery: return message(type, text.substr(0, 1));
    case be::kErrorResponse: {
      const std::string fields = without_nul(text);
      return error(fields.substr(0, 5), fields.substr(std::min<std::size_t>(fields.size(), 5)));
    }
    case be::kParameterStatus: {
      const std::size_t equals = std::min(text.find('='), text.size());
      const std::string_view value = text.substr(std::min(equals + 1, text.size()));
      return parameter(without_nul(text.substr(0, equals)), without_nul(value));
    }
    case be::kCopyInResponse:
    case be::kCopyOutResponse:
    case be::kCopyBothResponse: return message(type, "\0\0\0"s);
    default: return message(type, text);
  }
}

Event read_event(std::string_view line) {
  if (line.empty()) return {};
  const std::string_view rest = line.substr(1);
  switch (line[0]) {
    case '<': return {Event::Kind::client_bytes, raw(rest)};
    case '>': return {Event::Kind::server_bytes, raw(rest)};
    case '!': return {kind_of(rest.empty() ? ' ' : rest[0]), {}};
    case '-':
      if (rest.empty()) return {};
      return {Event::Kind::server_bytes, server_message(rest[0], rest.substr(1))};
    default: return {Event::Kind::client_bytes, client_message(line[0], rest)};
  }
}

}  // namespace helios::fuzz
