// SPDX-License-Identifier: Apache-2.0
#pragma once

// The other end of a TLS connection, and certificates for it: OpenSSL by its own memory BIOs, so that it shares nothing
// with what it tests. Link `helios_test_tls`.

#include "config/config.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct ssl_st;
struct ssl_ctx_st;

namespace helios::test {

struct CertificateWish {
  // Of the host, the first one is the subject's too; what begins with a digit is an address.
  std::vector<std::string> names{"localhost"};
  // With these it is they who stand in the subject, and there are no alternative names.
  std::vector<std::string> common_names = {};
  std::int64_t valid_from_s = -3600;  // from now
  std::int64_t valid_to_s = 86'400;
  std::string passphrase = {};  // of the key
};

// Writes `<folder>/<name>.crt` and `<name>.key` (0600): a new key (P-256), and a certificate that it has signed itself.
[[nodiscard]] config::CertificateFiles make_certificate(const std::string& folder,
                                                        const std::string& name,
                                                        const CertificateWish& wish = {});

struct TlsPeerOptions {
  std::string server_name = {};             // SNI
  std::vector<std::string> protocols = {};  // ALPN
  int max_version = 0;                      // TLS1_2_VERSION, ...; 0: the newest
  std::string ciphers = {};                 // of TLS 1.2
  config::CertificateFiles own = {};        // with it, the peer shows who it is
  // It is the server, which wants to see a certificate, and takes any; ALPN: the first of `protocols`. Needs `own`.
  bool is_server = false;
};

// One end. Trusts everybody; what it was shown is in certificate_name().
class TlsPeer {
 public:
  explicit TlsPeer(const TlsPeerOptions& options = {});
  ~TlsPeer();
  TlsPeer(const TlsPeer&) = delete;
  TlsPeer& operator=(const TlsPeer&) = delete;

  // Goes on as far as it can; a client's first call begins the handshake.
  void hear(std::string_view ciphertext);
  void say(std::string_view plaintext);
  // close_notify.
  void close();
  // A new key for what it sends from now on, and one asked for (TLS 1.3).
  void change_keys();
  // Wishes to begin anew (TLS 1.2). Of a server, as often as wanted.
  void renegotiate();

  // What is to be sent, once.
  [[nodiscard]] std::string take();
  [[nodiscard]] const std::string& heard() const { return heard_; }
  [[nodiscard]] bool is_established() const;
  [[nodiscard]] bool has_end() const;  // the other end's close_notify has come
  // Why it has failed; empty: it has not.
  [[nodiscard]] const std::string& error() const { return error_; }
  [[nodiscard]] std::string version() const;
  [[nodiscard]] std::string protocol() const;
  // The subject's name in the certificate that it was shown.
  [[nodiscard]] std::string certificate_name() const;
  // SNI of a client.
  [[nodiscard]] std::string server_name() const;

 private:
  struct Deleter {
    void operator()(ssl_st* connection) const;
    void operator()(ssl_ctx_st* context) const;
  };
  void be_client(const TlsPeerOptions& options);
  void be_server();

  std::string protocols_;  // as ALPN has them
  std::unique_ptr<ssl_ctx_st, Deleter> context_;
  std::unique_ptr<ssl_st, Deleter> connection_;
  std::string heard_;
  std::string error_;
};

}  // namespace helios::test
