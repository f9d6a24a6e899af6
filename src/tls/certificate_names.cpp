// SPDX-License-Identifier: Apache-2.0
#include "tls/certificate_names.hpp"

#include "tls/context_files.hpp"
#include "tls/error.hpp"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>
#include <new>

namespace helios::tls {
namespace {

std::string common_name_of(const X509_NAME* subject) {
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return {};
  unsigned char* text = nullptr;
  const int size =
      ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
  if (size < 0) return {};
  std::string name(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
  OPENSSL_free(text);
  // Whoever reads it as text of C sees somebody else (CVE-2009-4034).
  return name.find('\0') == std::string::npos ? name : std::string();
}

std::string distinguished_name_of(const X509_NAME* subject) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
  if (!out) throw std::bad_alloc();
  if (X509_NAME_print_ex(out.get(), subject, 0, XN_FLAG_RFC2253) < 0) return {};
  std::string name(BIO_ctrl_pending(out.get()), '\0');
  if (!name.empty()) BIO_read(out.get(), name.data(), static_cast<int>(name.size()));
  return name;
}

}  // namespace

CertificateNames names_of(const X509* certificate) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  return {common_name_of(subject), distinguished_name_of(subject)};
}

base::Result<CertificateNames> read_certificate_names(const std::string& path) {
  const auto text = read_pem(path);
  if (!text) return std::unexpected(text.error());
  clear_errors();
  const std::unique_ptr<BIO, decltype(&BIO_free)> pem(
      BIO_new_mem_buf(text->data(), static_cast<int>(text->size())), BIO_free);
  if (!pem) throw std::bad_alloc();
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      PEM_read_bio_X509(pem.get(), nullptr, nullptr, nullptr), X509_free);
  if (!certificate)
    return base::fail(base::Errc::invalid, path + ": is no PEM certificate: " + take_error());
  return names_of(certificate.get());
}

}  // namespace helios::tls
