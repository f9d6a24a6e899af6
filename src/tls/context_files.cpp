// SPDX-License-Identifier: Apache-2.0
#include "tls/context_files.hpp"

#include "config/secret_file.hpp"
#include "tls/error.hpp"
#include "tls/opening.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <new>
#include <string>
#include <utility>

namespace helios::tls {
namespace {

constexpr std::size_t kMaxPemBytes = 1U << 20;

struct BioDeleter {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using BioPtr = std::unique_ptr<BIO, BioDeleter>;

struct CertificateDeleter {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using CertificatePtr = std::unique_ptr<X509, CertificateDeleter>;

struct ListDeleter {
  void operator()(X509_CRL* list) const { X509_CRL_free(list); }
};
using ListPtr = std::unique_ptr<X509_CRL, ListDeleter>;

struct KeyDeleter {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, KeyDeleter>;

BioPtr reader_of(const std::string& text) {
  BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  if (!bio) throw std::bad_alloc();
  return bio;
}

// The certificate, and those of its chain. Returns what is wrong; empty when nothing is.
std::string use_certificate(SSL_CTX* context, const std::string& pem) {
  clear_errors();
  const BioPtr reader = reader_of(pem);
  const CertificatePtr own(PEM_read_bio_X509_AUX(reader.get(), nullptr, nullptr, nullptr));
  if (!own || SSL_CTX_use_certificate(context, own.get()) != 1)
    return "is no PEM certificate: " + take_error();
  while (true) {
    CertificatePtr next(PEM_read_bio_X509(reader.get(), nullptr, nullptr, nullptr));
    if (!next) break;
    if (SSL_CTX_add0_chain_cert(context, next.get()) != 1)
      return "has a chain that cannot be used: " + take_error();
    static_cast<void>(next.release());  // the context's
  }
  // The end of the file shows as "no start line"; anything else is a certificate that is broken.
  const bool is_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (!is_end) return "has a certificate in its chain that is none: " + take_error();
  clear_errors();
  return "";
}

// How many there are. Clients are told the names of authorities, so that they know which certificate to show.
int add_authorities(SSL_CTX* context, BIO* pem) {
  int count = 0;
  while (const CertificatePtr next{PEM_read_bio_X509(pem, nullptr, nullptr, nullptr)}) {
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), next.get()) != 1 ||
        SSL_CTX_add_client_CA(context, next.get()) != 1)
      return 0;
    ++count;
  }
  return count;
}

int add_revoked(SSL_CTX* context, BIO* pem) {
  int count = 0;
  while (const ListPtr next{PEM_read_bio_X509_CRL(pem, nullptr, nullptr, nullptr)}) {
    if (X509_STORE_add_crl(SSL_CTX_get_cert_store(context), next.get()) != 1) return 0;
    ++count;
  }
  return count;
}

// Otherwise OpenSSL would ask at the terminal.
int no_passphrase(char*, int, int, void*) { return 0; }

std::string use_key(SSL_CTX* context, const std::string& pem) {
  clear_errors();
  const BioPtr reader = reader_of(pem);
  const KeyPtr key(PEM_read_bio_PrivateKey(reader.get(), nullptr, no_passphrase, nullptr));
  if (!key) return "is no PEM key without a passphrase: " + take_error();
  // It compares the two.
  return SSL_CTX_use_PrivateKey(context, key.get()) == 1
             ? ""
             : "does not fit the certificate: " + take_error();
}

}  // namespace

// "ORIGIN: what" where somebody has configured it.
std::unexpected<base::Error> wrong(base::Errc code, const std::string& origin,
                                   const std::string& what) {
  return base::fail(code, origin.empty() ? what : origin + ": " + what);
}

base::Result<std::string> read_pem(const std::string& path) {
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

void set_rules(SSL_CTX* context, config::TlsVersion min_version) {
  SSL_CTX_set_min_proto_version(
      context, min_version == config::TlsVersion::tls13 ? TLS1_3_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  // An idle connection holds no buffer for records.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
}

base::Result<void> use_files(SSL_CTX* context, const config::CertificateFiles& files) {
  const auto certificate = read_pem(files.certificate);
  if (!certificate)
    return wrong(certificate.error().code, files.certificate_origin, certificate.error().message);
  if (const auto problem = use_certificate(context, *certificate); !problem.empty())
    return wrong(base::Errc::invalid, files.certificate_origin, files.certificate + ": " + problem);
  auto key = config::read_secret_file(files.key, kMaxPemBytes);
  if (!key) return wrong(key.error().code, files.key_origin, key.error().message);
  const auto problem = use_key(context, *key);
  OPENSSL_cleanse(key->data(), key->size());
  if (problem.empty()) return {};
  return wrong(base::Errc::invalid, files.key_origin, files.key + ": " + problem);
}

base::Result<void> believe_files(SSL_CTX* context, const config::NamedFile& authorities,
                                 const config::NamedFile& revoked) {
  const auto load = [context](const config::NamedFile& file, int (*add)(SSL_CTX*, BIO*),
                              const char* what) -> base::Result<void> {
    if (file.path.empty()) return {};
    const auto text = read_pem(file.path);
    if (!text) return wrong(text.error().code, file.origin, text.error().message);
    clear_errors();
    const int count = add(context, reader_of(*text).get());
    if (count > 0 && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE) {
      clear_errors();
      return {};
    }
    return wrong(base::Errc::invalid, file.origin, file.path + ": " + what + ": " + take_error());
  };
  if (auto added = load(authorities, add_authorities, "is no list of PEM certificates"); !added)
    return added;
  if (auto added = load(revoked, add_revoked, "is no PEM revocation list"); !added) return added;
  if (!revoked.path.empty())
    X509_STORE_set_flags(SSL_CTX_get_cert_store(context),
                         X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  return {};
}

}  // namespace helios::tls
