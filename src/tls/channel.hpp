// SPDX-License-Identifier: Apache-2.0
#pragma once

// One TLS connection without a socket: ciphertext in, plaintext out, and the other way round. It reads and writes nothing
// itself; whoever has the connection (net::TlsStream) brings what has come and sends what there is to send.
//
// An idle channel holds no buffer: what it works with belongs to Work, which all channels of a thread share. (The memory
// BIOs of OpenSSL keep theirs: 21 KiB more for each connection.)
//
// Flow: step() with what has come, until it says `more`; after each call (step(), write(), close()) send Work::ciphertext
// and empty it.
//
// Thread rule: one thread, that of its Work.

#include "tls/certificate_names.hpp"
#include "tls/opening.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace helios::tls {

// The longest that one record holds (RFC 8446, 5.1).
inline constexpr std::size_t kMaxRecordBytes = 16'384;

// What channels of one thread work with; nothing in it outlasts a call but `ciphertext`.
struct Work {
  std::array<char, kMaxRecordBytes> plaintext;
  std::array<char, kMaxRecordBytes> outgoing;  // for whoever gathers what write() is to be given
  std::string ciphertext;                      // to be sent
};

// What a handshake has led to. The words are OpenSSL's, and live as long as the program.
struct Facts {
  std::string_view version;   // "TLSv1.3"
  std::string_view cipher;    // "TLS_AES_256_GCM_SHA384"
  bool has_protocol = false;  // the client has named what is spoken inside (ALPN)
  // Of the server's certificate, for SCRAM (RFC 5929, tls-server-end-point): bytes. Empty: its signature has no digest
  // of its own (Ed25519), so that nobody knows which one to take.
  std::string channel_binding = {};
  // A client's, whose certificate is believed; nullopt: it has shown none.
  std::optional<CertificateNames> client = {};
};

class Channel {
 public:
  enum class Step {
    more,         // waits for ciphertext
    established,  // once: the handshake is done, facts() are known
    data,         // plaintext() has something
    end,          // the peer has said that nothing more comes (close_notify)
    failed,       // error() says why; the peer has been told, where it can be
  };

  // Lifetime: `work` outlives it.
  Channel(Opening opening, Work& work);
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel();

  // Goes one step on (a client's first one needs no ciphertext), and takes what it has used off `ciphertext`: all of it, where it says `more`.
  // Throws: std::bad_alloc.
  [[nodiscard]] Step step(std::string_view& ciphertext);
  // What the last step has read, until the next call on any channel of the thread.
  [[nodiscard]] std::string_view plaintext() const { return plaintext_; }

  // Without effect before the handshake is done, and behind close(). Throws: std::bad_alloc.
  void write(std::string_view plaintext);
  // Tells the peer that nothing more comes. The other direction goes on. Throws: std::bad_alloc.
  void close();

  [[nodiscard]] bool is_established() const { return is_established_; }
  [[nodiscard]] bool has_failed() const { return !error_.empty(); }
  // Requires: established.
  [[nodiscard]] Facts facts() const;
  // Of `failed`, in one line.
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  // How OpenSSL reaches the two sides: see channel.cpp.
  struct Bio;

  Step shake_hands();
  Step read();
  Step stop_at(int result);
  [[nodiscard]] std::string describe_failure() const;

  std::shared_ptr<const void> context_;
  Work& work_;
  ConnectionPtr connection_;
  std::string_view input_;  // during step()
  std::string_view plaintext_;
  std::string error_;
  std::uint32_t own_messages_ = 0;  // behind the handshake, since the last data
  bool is_established_ = false;
  bool is_closed_ = false;         // by us
  bool is_out_of_memory_ = false;  // found inside OpenSSL, through which nothing may be thrown
};

}  // namespace helios::tls
