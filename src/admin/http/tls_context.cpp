// SPDX-License-Identifier: Apache-2.0
#include "admin/http/tls_context.hpp"

#include "config/secret_file.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/context.hpp>
#include <openssl/ssl.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

namespace helios::admin::http {
namespace {

namespace ssl = boost::asio::ssl;
using ErrorCode = boost::system::error_code;

constexpr std::size_t kMaxPemBytes = 1U << 20;

base::Result<std::string> read_certificate(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return base::fail(base::Errc::not_found, path + ": cannot be opened: " + std::strerror(errno));
  }
  std::string text(kMaxPemBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMaxPemBytes) {
    return base::fail(base::Errc::limit_exceeded, path + ": is larger than 1 MiB");
  }
  return text;
}

void set_protocol(ssl::context& context) {
  context.set_options(ssl::context::default_workarounds | ssl::context::no_compression |
                      ssl::context::single_dh_use);
  SSL_CTX* const native = context.native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  // Tickets are enough to resume a session; nothing is kept here for each client.
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
}

// Uses certificate (and those of its chain) and key. Returns what is wrong; empty when nothing is.
std::string use_certificate(ssl::context& context, const std::string& pem) {
  ErrorCode error;
  context.use_certificate_chain(boost::asio::buffer(pem), error);
  return error ? "is no PEM certificate: " + error.message() : "";
}

std::string use_key(ssl::context& context, const std::string& pem) {
  ErrorCode error;
  // Otherwise OpenSSL would ask at the terminal.
  context.set_password_callback([](std::size_t, ssl::context::password_purpose) { return ""; },
                                error);
  if (!error) context.use_private_key(boost::asio::buffer(pem), ssl::context::pem, error);
  if (error) return "is no PEM key without a passphrase that fits: " + error.message();
  return SSL_CTX_check_private_key(context.native_handle()) == 1 ? "" : "does not belong to it";
}

}  // namespace

base::Result<std::shared_ptr<TlsContext>> load_tls(const config::Admin& admin) {
  if (admin.tls_certificate.empty()) return std::shared_ptr<TlsContext>();
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  set_protocol(*context);
  const auto certificate = read_certificate(admin.tls_certificate);
  if (!certificate) {
    return base::fail(certificate.error().code,
                      admin.tls_certificate_origin + ": " + certificate.error().message);
  }
  if (const auto problem = use_certificate(*context, *certificate); !problem.empty()) {
    return base::fail(base::Errc::invalid,
                      admin.tls_certificate_origin + ": " + admin.tls_certificate + ": " + problem);
  }
  auto key = config::read_secret_file(admin.tls_key, kMaxPemBytes);
  if (!key) return base::fail(key.error().code, admin.tls_key_origin + ": " + key.error().message);
  const auto problem = use_key(*context, *key);
  OPENSSL_cleanse(key->data(), key->size());
  if (!problem.empty()) {
    return base::fail(base::Errc::invalid,
                      admin.tls_key_origin + ": " + admin.tls_key + ": " + problem);
  }
  return context;
}

}  // namespace helios::admin::http
