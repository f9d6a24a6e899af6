// SPDX-License-Identifier: Apache-2.0

#include "config/tls_section.hpp"

#include <string>
#include <utility>

namespace helios::config {
namespace {

void read_own_certificate(TomlSection& section, Tls& out) {
  CertificateFiles files;
  read_certificate_files(section, "certificate", "key", files);
  if (!files.certificate.empty()) out.certificates.push_back(std::move(files));
}

void read_further_certificate(TomlSection& section, Tls& out) {
  constexpr std::size_t kMost = 100;
  CertificateFiles files;
  read_certificate_files(section, "certificate", "key", files);
  if (files.certificate.empty() && !section.has("certificate") && !section.has("key"))
    section.add_own_problem("needs certificate and key");
  if (out.certificates.empty())
    section.add_own_problem(
        "needs a first certificate, for everybody: certificate and key of [tls]");
  if (out.certificates.size() > kMost)
    section.add_own_problem("is one too many: there may be " + std::to_string(kMost));
  section.finish();
  out.certificates.push_back(std::move(files));
}

void read_file(TomlSection& section, std::string_view key, NamedFile& out) {
  section.text(key, out.path);
  if (section.has(key)) out.origin = section.place(key);
}

void read_mode(TomlSection& section, Tls& out) {
  if (!out.certificates.empty()) out.mode = TlsMode::prefer;
  section.choice("mode", out.mode,
                 {{"disable", TlsMode::disable},
                  {"allow", TlsMode::prefer},
                  {"prefer", TlsMode::prefer},
                  {"require", TlsMode::require}});
  if (out.mode != TlsMode::disable && out.certificates.empty())
    section.add_problem("mode", "needs certificate and key");
}

}  // namespace

void read_certificate_files(TomlSection& section, std::string_view certificate_key,
                            std::string_view key_key, CertificateFiles& out) {
  section.text(certificate_key, out.certificate);
  section.text(key_key, out.key);
  if (section.has(certificate_key)) out.certificate_origin = section.place(certificate_key);
  if (section.has(key_key)) out.key_origin = section.place(key_key);
  if (out.certificate.empty() != out.key.empty()) {
    section.add_problem(
        out.key.empty() ? certificate_key : key_key,
        std::string(certificate_key) + " and " + std::string(key_key) + " go together");
  }
}

void read_tls(TomlSection section, Tls& out) {
  read_own_certificate(section, out);
  section.tables("certificates",
                 [&out](TomlSection& further) { read_further_certificate(further, out); });
  read_mode(section, out);
  section.choice("min_version", out.min_version,
                 {{"1.2", TlsVersion::tls12}, {"1.3", TlsVersion::tls13}});
  section.text("ciphers", out.ciphers);
  section.text("tls13_ciphers", out.tls13_ciphers);
  if (section.has("ciphers")) out.ciphers_origin = section.place("ciphers");
  if (section.has("tls13_ciphers")) out.tls13_ciphers_origin = section.place("tls13_ciphers");
  read_file(section, "client_ca", out.client_ca);
  read_file(section, "client_crl", out.client_crl);
  if (!out.client_crl.path.empty() && out.client_ca.path.empty())
    section.add_problem("client_crl", "needs client_ca: whose list is it?");
  section.finish();
}

void read_server_tls(TomlSection& section, ServerTls& out) {
  section.choice("sslmode", out.mode,
                 {{"disable", ServerTlsMode::disable},
                  {"prefer", ServerTlsMode::prefer},
                  {"require", ServerTlsMode::require},
                  {"verify-ca", ServerTlsMode::verify_ca},
                  {"verify-full", ServerTlsMode::verify_full}});
  section.choice("sslnegotiation", out.is_direct, {{"postgres", false}, {"direct", true}});
  read_file(section, "root_certificate", out.root_certificate);
  read_file(section, "crl", out.crl);
  read_certificate_files(section, "certificate", "key", out.own);
  if (section.has("sslmode")) out.origin = section.place("sslmode");
  if (!out.crl.path.empty() && out.root_certificate.path.empty())
    section.add_problem("crl", "needs root_certificate: whose list is it?");
  if (out.is_direct && out.mode <= ServerTlsMode::prefer)
    section.add_problem("sslnegotiation",
                        "\"direct\" needs sslmode require, verify-ca or verify-full");
  // Anybody can have a certificate of some authority of the system's. So libpq has it, too.
  if (out.mode == ServerTlsMode::verify_ca && out.root_certificate.path.empty())
    section.add_problem("sslmode",
                        "\"verify-ca\" needs root_certificate: of the system's authorities anybody "
                        "has a certificate; write \"verify-full\"");
  if (out.mode != ServerTlsMode::disable) return;
  // Somebody believes that these protect something.
  if (!out.root_certificate.path.empty())
    section.add_problem("root_certificate", "means nothing without sslmode");
  if (!out.own.certificate.empty())
    section.add_problem("certificate", "means nothing without sslmode");
}

}  // namespace helios::config
