// SPDX-License-Identifier: Apache-2.0
#include "tls/server_context.hpp"

#include "tls/context_files.hpp"
#include "tls/error.hpp"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <new>
#include <utility>

namespace helios::tls {
namespace {

base::Result<void> set_ciphers(SSL_CTX* context, const config::Tls& settings) {
  clear_errors();
  if (!settings.ciphers.empty() && SSL_CTX_set_cipher_list(context, settings.ciphers.c_str()) != 1)
    return wrong(base::Errc::invalid, settings.ciphers_origin, take_error());
  if (!settings.tls13_ciphers.empty() &&
      SSL_CTX_set_ciphersuites(context, settings.tls13_ciphers.c_str()) != 1)
    return wrong(base::Errc::invalid, settings.tls13_ciphers_origin, take_error());
  return {};
}

// Who has none gets in, to where no rule wants one; who has a wrong one does not.
base::Result<void> ask_for_certificate(SSL_CTX* context, const config::Tls& settings) {
  if (settings.client_ca.path.empty()) return {};
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, nullptr);
  return believe_files(context, settings.client_ca, settings.client_crl);
}

// ALPN: takes our protocol where the client names it, and else ends the handshake.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned int offered_size, void* protocol) {
  const auto& own = *static_cast<const std::string*>(protocol);
  unsigned char* chosen = nullptr;
  const int found =
      SSL_select_next_proto(&chosen, out_size, reinterpret_cast<const unsigned char*>(own.data()),
                            static_cast<unsigned int>(own.size()), offered, offered_size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

// SNI: the first certificate in which the name stands, or the one that is for everybody.
int choose_certificate(SSL* connection, int*, void* contexts) {
  const char* name = SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) return SSL_TLSEXT_ERR_OK;
  for (const auto& context : *static_cast<const std::vector<ContextPtr>*>(contexts)) {
    if (X509_check_host(SSL_CTX_get0_certificate(context.get()), name, 0, 0, nullptr) == 1) {
      SSL_set_SSL_CTX(connection, context.get());
      break;
    }
  }
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

base::Result<std::shared_ptr<const ServerContext>> ServerContext::load(const config::Tls& settings,
                                                                       std::string_view protocol) {
  std::shared_ptr<ServerContext> made(new ServerContext());
  for (const auto& files : settings.certificates) {
    if (auto added = made->add(files, settings); !added) return std::unexpected(added.error());
  }
  if (made->contexts_.size() > 1) made->ask_for_name();
  if (!protocol.empty()) made->ask_for_protocol(protocol);
  return made;
}

base::Result<void> ServerContext::add(const config::CertificateFiles& files,
                                      const config::Tls& settings) {
  ContextPtr context(SSL_CTX_new(TLS_server_method()));
  if (!context) throw std::bad_alloc();
  set_rules(context.get(), settings.min_version);
  if (auto set = set_ciphers(context.get(), settings); !set) return set;
  if (auto used = use_files(context.get(), files); !used) return used;
  if (auto asked = ask_for_certificate(context.get(), settings); !asked) return asked;
  contexts_.push_back(std::move(context));
  note_times(files);
  return {};
}

void ServerContext::note_times(const config::CertificateFiles& files) {
  const X509* certificate = SSL_CTX_get0_certificate(contexts_.back().get());
  if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0)
    warnings_.push_back(files.certificate + ": the certificate has expired");
  if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0)
    warnings_.push_back(files.certificate + ": the certificate is not valid yet");
}

void ServerContext::ask_for_name() {
  // The two by their functions: the macros that are meant for this cast in the style of C.
  SSL_CTX* first = contexts_.front().get();
  SSL_CTX_callback_ctrl(first, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB,
                        reinterpret_cast<void (*)()>(choose_certificate));
  SSL_CTX_ctrl(first, SSL_CTRL_SET_TLSEXT_SERVERNAME_ARG, 0, &contexts_);
}

void ServerContext::ask_for_protocol(std::string_view protocol) {
  protocol_ = static_cast<char>(protocol.size()) + std::string(protocol);
  // The choice of a certificate comes first, and takes its context with it.
  for (const auto& context : contexts_)
    SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, &protocol_);
}

ContextPtr ServerContext::share() const {
  SSL_CTX_up_ref(contexts_.front().get());
  return ContextPtr(contexts_.front().get());
}

Opening ServerContext::open() const {
  ConnectionPtr connection(SSL_new(contexts_.front().get()));
  if (!connection) throw std::bad_alloc();
  SSL_set_accept_state(connection.get());
  return {.context = shared_from_this(), .connection = std::move(connection)};
}

}  // namespace helios::tls
