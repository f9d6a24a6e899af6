// SPDX-License-Identifier: Apache-2.0
#include "support/tls_peer.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cctype>
#include <cstdio>
#include <stdexcept>

#include <sys/stat.h>

namespace helios::test {
namespace {

void expect(bool is_well, const char* what) {
  if (!is_well) throw std::runtime_error(std::string("OpenSSL: ") + what);
}

struct Freer {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(std::FILE* file) const { std::fclose(file); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
};

std::string alternative_names(const std::vector<std::string>& names) {
  std::string all;
  for (const auto& name : names)
    all += (all.empty() ? "" : ",") + std::string(std::isdigit(name[0]) ? "IP:" : "DNS:") + name;
  return all;
}

void add_common_name(X509_NAME* subject, const std::string& name) {
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.data()),
                             static_cast<int>(name.size()), -1, 0);
}

std::unique_ptr<X509, Freer> make_self_signed(EVP_PKEY* key, const CertificateWish& wish) {
  std::unique_ptr<X509, Freer> made(X509_new());
  X509* certificate = made.get();
  expect(certificate != nullptr, "no certificate");
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), wish.valid_from_s);
  X509_gmtime_adj(X509_getm_notAfter(certificate), wish.valid_to_s);
  X509_set_pubkey(certificate, key);
  X509_NAME* name = X509_get_subject_name(certificate);
  add_common_name(name, wish.common_names.empty() ? wish.names.front() : wish.common_names.front());
  for (std::size_t i = 1; i < wish.common_names.size(); ++i)
    add_common_name(name, wish.common_names[i]);
  X509_set_issuer_name(certificate, name);
  if (wish.common_names.empty()) {
    const std::unique_ptr<X509_EXTENSION, Freer> names(X509V3_EXT_conf_nid(
        nullptr, nullptr, NID_subject_alt_name, alternative_names(wish.names).c_str()));
    expect(names != nullptr, "no names");
    X509_add_ext(certificate, names.get(), -1);
  }
  expect(X509_sign(certificate, key, EVP_sha256()) != 0, "not signed");
  return made;
}

}  // namespace

config::CertificateFiles make_certificate(const std::string& folder, const std::string& name,
                                          const CertificateWish& wish) {
  config::CertificateFiles files;
  files.certificate = folder + "/" + name + ".crt";
  files.key = folder + "/" + name + ".key";
  const std::unique_ptr<EVP_PKEY, Freer> key(EVP_EC_gen("P-256"));
  expect(key != nullptr, "no key");
  const auto certificate = make_self_signed(key.get(), wish);
  const std::unique_ptr<std::FILE, Freer> certificate_file(
      std::fopen(files.certificate.c_str(), "w"));
  const std::unique_ptr<std::FILE, Freer> key_file(std::fopen(files.key.c_str(), "w"));
  expect(certificate_file && key_file, "no file");
  ::chmod(files.key.c_str(), 0600);
  expect(PEM_write_X509(certificate_file.get(), certificate.get()) == 1, "certificate not written");
  const auto* passphrase = reinterpret_cast<const unsigned char*>(wish.passphrase.data());
  const EVP_CIPHER* cipher = wish.passphrase.empty() ? nullptr : EVP_aes_128_cbc();
  expect(PEM_write_PrivateKey(key_file.get(), key.get(), cipher, passphrase,
                              static_cast<int>(wish.passphrase.size()), nullptr, nullptr) == 1,
         "key not written");
  return files;
}

void TlsPeer::Deleter::operator()(ssl_st* connection) const { SSL_free(connection); }
void TlsPeer::Deleter::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

TlsPeer::TlsPeer(const TlsPeerOptions& options)
    : context_(SSL_CTX_new(TLS_method())), connection_(nullptr) {
  for (const auto& protocol : options.protocols)
    protocols_ += static_cast<char>(protocol.size()) + protocol;
  if (options.is_server) be_server();
  connection_.reset(SSL_new(context_.get()));
  SSL* connection = connection_.get();
  expect(connection != nullptr, "no connection");
  SSL_set_bio(connection, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  // Old ones are asked for where a test wants to see them turned away.
  SSL_set_security_level(connection, 0);
  SSL_set_min_proto_version(connection, TLS1_VERSION);
  if (options.max_version != 0) SSL_set_max_proto_version(connection, options.max_version);
  if (!options.ciphers.empty())
    expect(SSL_set_cipher_list(connection, options.ciphers.c_str()) == 1, "ciphers");
  if (!options.own.certificate.empty()) {
    expect(SSL_use_certificate_file(connection, options.own.certificate.c_str(),
                                    SSL_FILETYPE_PEM) == 1,
           "certificate");
    expect(SSL_use_PrivateKey_file(connection, options.own.key.c_str(), SSL_FILETYPE_PEM) == 1,
           "key");
  }
  options.is_server ? SSL_set_accept_state(connection) : be_client(options);
}

void TlsPeer::be_client(const TlsPeerOptions& options) {
  SSL_set_connect_state(connection_.get());
  if (!options.server_name.empty())
    SSL_ctrl(connection_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(
                 options.server_name.c_str()));  // by its function: the macro casts as C does
  if (!protocols_.empty())
    SSL_set_alpn_protos(connection_.get(),
                        reinterpret_cast<const unsigned char*>(protocols_.data()),
                        static_cast<unsigned int>(protocols_.size()));
}

void TlsPeer::be_server() {
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
  if (protocols_.empty()) return;
  const auto choose = [](SSL*, const unsigned char** out, unsigned char* size, const unsigned char*,
                         unsigned int, void* own) {
    const auto& name = *static_cast<const std::string*>(own);
    *size = static_cast<unsigned char>(name[0]);
    *out = reinterpret_cast<const unsigned char*>(name.data()) + 1;
    return SSL_TLSEXT_ERR_OK;
  };
  SSL_CTX_set_alpn_select_cb(context_.get(), choose, &protocols_);
}

TlsPeer::~TlsPeer() = default;

void TlsPeer::hear(std::string_view ciphertext) {
  BIO_write(SSL_get_rbio(connection_.get()), ciphertext.data(),
            static_cast<int>(ciphertext.size()));
  char bytes[16'384];
  while (error_.empty()) {
    ERR_clear_error();
    const int count = SSL_read(connection_.get(), bytes, sizeof(bytes));
    if (count > 0) {
      heard_.append(bytes, static_cast<std::size_t>(count));
      continue;
    }
    const int why = SSL_get_error(connection_.get(), count);
    if (why == SSL_ERROR_SSL) error_ = ERR_reason_error_string(ERR_get_error());
    return;
  }
}

void TlsPeer::say(std::string_view plaintext) {
  expect(SSL_write(connection_.get(), plaintext.data(), static_cast<int>(plaintext.size())) > 0,
         "not written");
}

void TlsPeer::close() { SSL_shutdown(connection_.get()); }

void TlsPeer::change_keys() {
  expect(SSL_key_update(connection_.get(), SSL_KEY_UPDATE_REQUESTED) == 1, "no new key");
  expect(SSL_do_handshake(connection_.get()) == 1, "new key not sent");
}

void TlsPeer::renegotiate() {
  expect(SSL_renegotiate(connection_.get()) == 1, "no wish");
  SSL_do_handshake(connection_.get());
}

std::string TlsPeer::take() {
  BIO* out = SSL_get_wbio(connection_.get());
  std::string all(BIO_ctrl_pending(out), '\0');
  if (!all.empty()) BIO_read(out, all.data(), static_cast<int>(all.size()));
  return all;
}

bool TlsPeer::is_established() const { return SSL_is_init_finished(connection_.get()) == 1; }

bool TlsPeer::has_end() const {
  return (SSL_get_shutdown(connection_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
}

std::string TlsPeer::version() const { return SSL_get_version(connection_.get()); }

std::string TlsPeer::protocol() const {
  const unsigned char* name = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(connection_.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

std::string TlsPeer::certificate_name() const {
  const X509* certificate = SSL_get0_peer_certificate(connection_.get());
  char name[256] = "";
  if (certificate != nullptr)
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name,
                              sizeof(name));
  return name;
}

std::string TlsPeer::server_name() const {
  const char* name = SSL_get_servername(connection_.get(), TLSEXT_NAMETYPE_host_name);
  return name == nullptr ? "" : name;
}

}  // namespace helios::test
