// SPDX-License-Identifier: Apache-2.0
#include "tls/client_context.hpp"

#include "tls/certificate_names.hpp"
#include "tls/context_files.hpp"
#include "tls/error.hpp"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <new>
#include <utility>

namespace helios::tls {
namespace {

// As libpq: with a root certificate, `require` checks against it too.
bool checks_authority(const config::ServerTls& settings) {
  return settings.mode >= config::ServerTlsMode::verify_ca ||
         !settings.root_certificate.path.empty();
}

base::Result<void> believe(SSL_CTX* context, const config::ServerTls& settings) {
  if (!checks_authority(settings)) return {};
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  clear_errors();
  if (settings.root_certificate.path.empty()) {
    if (SSL_CTX_set_default_verify_paths(context) == 1) return {};
    return base::fail(base::Errc::unavailable,
                      "the system's root certificates cannot be read: " + take_error());
  }
  return believe_files(context, settings.root_certificate, settings.crl);
}

bool has_dns_name(const X509* certificate) {
  auto* names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  bool has_one = false;
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i)
    has_one |= sk_GENERAL_NAME_value(names, i)->type == GEN_DNS;
  GENERAL_NAMES_free(names);
  return has_one;
}

// Where the alternative names hold no host name, the common name counts: the first one, as in libpq. OpenSSL would take any of several.
int check_common_name(int is_right, X509_STORE_CTX* check) {
  const X509* certificate = X509_STORE_CTX_get_current_cert(check);
  const char* fitting = X509_VERIFY_PARAM_get0_peername(X509_STORE_CTX_get0_param(check));
  const bool is_servers = X509_STORE_CTX_get_error_depth(check) == 0;
  if (is_right != 1 || !is_servers || fitting == nullptr || has_dns_name(certificate))
    return is_right;
  if (names_of(certificate).common_name == fitting) return is_right;
  X509_STORE_CTX_set_error(check, X509_V_ERR_HOSTNAME_MISMATCH);
  return 0;
}

bool is_address(const std::string& host) {
  ASN1_OCTET_STRING* address = a2i_IPADDRESS(host.c_str());
  ASN1_OCTET_STRING_free(address);
  return address != nullptr;
}

}  // namespace

base::Result<std::shared_ptr<const ClientContext>> ClientContext::load(
    const config::ServerTls& settings, std::string_view protocol) {
  std::shared_ptr<ClientContext> made(new ClientContext());
  made->context_.reset(SSL_CTX_new(TLS_client_method()));
  if (!made->context_) throw std::bad_alloc();
  SSL_CTX* context = made->context_.get();
  set_rules(context, config::TlsVersion::tls12);
  const std::string name = static_cast<char>(protocol.size()) + std::string(protocol);
  if (SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(name.data()),
                              static_cast<unsigned int>(name.size())) != 0)
    throw std::bad_alloc();
  made->checks_name_ = settings.mode == config::ServerTlsMode::verify_full;
  if (auto believed = believe(context, settings); !believed)
    return std::unexpected(believed.error());
  if (!settings.own.certificate.empty()) {
    if (auto used = use_files(context, settings.own); !used) return std::unexpected(used.error());
  }
  return made;
}

Opening ClientContext::open(const std::string& host) const {
  ConnectionPtr made(SSL_new(context_.get()));
  if (!made) throw std::bad_alloc();
  SSL* connection = made.get();
  SSL_set_connect_state(connection);
  X509_VERIFY_PARAM* checks = SSL_get0_param(connection);
  X509_VERIFY_PARAM_set_hostflags(checks, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (is_address(host)) {
    if (checks_name_) X509_VERIFY_PARAM_set1_ip_asc(checks, host.c_str());
  } else {
    // By its function: the macro casts as C does.
    SSL_ctrl(connection, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(host.c_str()));
    if (checks_name_) {
      X509_VERIFY_PARAM_set1_host(checks, host.c_str(), host.size());
      SSL_set_verify(connection, SSL_VERIFY_PEER, check_common_name);
    }
  }
  return {.context = shared_from_this(), .connection = std::move(made), .is_client = true};
}

}  // namespace helios::tls
