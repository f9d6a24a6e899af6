// SPDX-License-Identifier: Apache-2.0
#include "auth/scram_server.hpp"

#include "auth/scram_words.hpp"
#include "base/base64.hpp"

#include <utility>

namespace helios::auth {
namespace {

constexpr std::size_t kMaxNonceBytes = 256;  // libpq's has 24
constexpr std::string_view kBindingType = "p=tls-server-end-point";

std::unexpected<base::Error> malformed(std::string_view what) {
  return base::fail(base::Errc::invalid, "malformed SCRAM message: " + std::string(what));
}

}  // namespace

base::Result<void> ScramServer::check_binding(std::string_view flag) {
  const bool can_bind = !options_.channel_binding.empty();
  if (options_.is_plus) {
    if (flag == kBindingType) return {};
    return malformed("SCRAM-SHA-256-PLUS needs the channel binding tls-server-end-point");
  }
  if (flag == "n") return {};
  // He could bind his channel, and believes that we cannot.
  if (flag == "y" && !can_bind) return {};
  if (flag == "y")
    return base::fail(base::Errc::invalid,
                      "SCRAM channel binding negotiation error: the client was not told of "
                      "SCRAM-SHA-256-PLUS");
  return malformed("unexpected channel-binding flag");
}

base::Result<std::string> ScramServer::begin(std::string_view message) {
  std::string_view rest = message;
  const auto flag = take_word(rest);
  const auto identity = take_word(rest);
  if (!flag || !identity) return malformed("no header");
  if (auto checked = check_binding(*flag); !checked) return std::unexpected(checked.error());
  if (!identity->empty()) return malformed("authorization identity is not supported");
  header_ = message.substr(0, message.size() - rest.size());
  const std::string bare(rest);
  if (rest.starts_with("m=")) return malformed("mandatory extensions are not supported");
  // The name stands in the startup packet; libpq leaves it empty here.
  const auto name = take_attribute(rest, 'n');
  const auto nonce = take_attribute(rest, 'r');
  if (!name || !nonce || nonce->empty() || nonce->size() > kMaxNonceBytes || !is_printable(*nonce))
    return malformed("no nonce");
  nonce_ = std::string(*nonce) + (options_.nonce.empty() ? make_nonce() : options_.nonce);
  std::string answer = "r=" + nonce_ + ",s=" + base::base64_encode(options_.verifier.salt) +
                       ",i=" + std::to_string(options_.verifier.iterations);
  conversation_ = bare + "," + answer + ",";
  return answer;
}

base::Result<std::optional<std::string>> ScramServer::finish(std::string_view message) {
  std::string_view rest = message;
  const auto binding = take_attribute(rest, 'c');
  const auto nonce = take_attribute(rest, 'r');
  const auto at = message.rfind(",p=");
  if (!binding || !nonce || at == std::string_view::npos) return malformed("no proof");
  // He repeats what he believes: the header that we have seen, and the certificate that we have shown.
  const std::string bound = header_ + (options_.is_plus ? options_.channel_binding : "");
  if (*binding != base::base64_encode(bound)) return malformed("channel binding check failed");
  if (*nonce != nonce_) return malformed("nonce does not match");
  const auto proof = base::base64_decode(message.substr(at + 3));
  if (!proof || proof->size() != Key::kBytes) return malformed("malformed proof");
  conversation_ += message.substr(0, at);
  client_key_ = exclusive_or(Key(*proof), hmac(options_.verifier.stored_key, conversation_));
  const bool is_right = hash(client_key_) == options_.verifier.stored_key;
  const Key signature = hmac(options_.verifier.server_key, conversation_);
  if (!is_right || options_.is_doomed) return std::optional<std::string>();
  return std::optional<std::string>("v=" + base::base64_encode(signature.view()));
}

}  // namespace helios::auth
