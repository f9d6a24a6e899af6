// SPDX-License-Identifier: Apache-2.0
#include "pgwire/authentication.hpp"

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "pgwire/message_types.hpp"

namespace helios::pgwire {
namespace {

std::string message(char type, std::string_view body) {
  std::string made(1, type);
  base::append_i32(made, static_cast<std::int32_t>(body.size() + 4));
  made += body;
  return made;
}

std::unexpected<base::Error> malformed(std::string_view what) {
  return base::fail(base::Errc::invalid, "malformed " + std::string(what));
}

}  // namespace

std::string authentication_message(AuthenticationRequest request, std::string_view data) {
  std::string body;
  base::append_i32(body, static_cast<std::int32_t>(request));
  body += data;
  return message(backend::kAuthentication, body);
}

std::string md5_request(const Md5Salt& salt) {
  return authentication_message(AuthenticationRequest::md5_password, {salt.data(), salt.size()});
}

std::string sasl_request(std::span<const std::string_view> mechanisms) {
  std::string list;
  for (const auto mechanism : mechanisms) base::append_cstring(list, mechanism);
  list += '\0';
  return authentication_message(AuthenticationRequest::sasl, list);
}

base::Result<AuthenticationBody> parse_authentication(std::string_view body) {
  if (body.size() < 4) return malformed("Authentication message");
  const auto request = static_cast<std::uint32_t>(base::load_i32(body.data()));
  return AuthenticationBody{static_cast<AuthenticationRequest>(request), body.substr(4)};
}

base::Result<std::vector<std::string_view>> parse_mechanisms(std::string_view data) {
  std::vector<std::string_view> mechanisms;
  while (true) {
    const auto end = data.find('\0');
    if (end == std::string_view::npos) return malformed("list of SASL mechanisms");
    if (end == 0) return mechanisms;
    mechanisms.push_back(data.substr(0, end));
    data.remove_prefix(end + 1);
  }
}

std::string password_message(std::string_view password) {
  std::string body;
  base::append_cstring(body, password);
  return message(frontend::kPassword, body);
}

std::string sasl_initial_response(std::string_view mechanism, std::string_view data) {
  std::string body;
  base::append_cstring(body, mechanism);
  base::append_i32(body, static_cast<std::int32_t>(data.size()));
  body += data;
  return message(frontend::kPassword, body);
}

std::string sasl_response(std::string_view data) { return message(frontend::kPassword, data); }

base::Result<std::string_view> parse_password(std::string_view body) {
  if (!body.ends_with('\0') || body.find('\0') != body.size() - 1)
    return malformed("password packet");
  body.remove_suffix(1);
  return body;
}

base::Result<SaslInitialResponse> parse_sasl_initial_response(std::string_view body) {
  const auto end = body.find('\0');
  if (end == std::string_view::npos || body.size() - end - 1 < 4)
    return malformed("SASLInitialResponse");
  const std::string_view data = body.substr(end + 5);
  const auto length = base::load_i32(body.data() + end + 1);
  if (length == -1 && data.empty())
    return SaslInitialResponse{.mechanism = body.substr(0, end), .data = std::nullopt};
  if (length < 0 || static_cast<std::size_t>(length) != data.size())
    return malformed("SASLInitialResponse");
  return SaslInitialResponse{body.substr(0, end), data};
}

}  // namespace helios::pgwire
