// SPDX-License-Identifier: Apache-2.0
#include "tls/channel.hpp"

#include "tls/error.hpp"

#include <openssl/ssl.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace helios::tls {
namespace {

constexpr std::uint32_t kMaxOwnMessages = 16;

}  // namespace

// OpenSSL asks a BIO for ciphertext and gives it some. Ours reads what step() was called with, and writes to Work.
struct Channel::Bio {
  static Channel& channel_of(BIO* bio) { return *static_cast<Channel*>(BIO_get_data(bio)); }

  static int read(BIO* bio, char* out, int size) {
    BIO_clear_retry_flags(bio);
    if (channel_of(bio).own_messages_ > kMaxOwnMessages) return -1;  // for good
    std::string_view& input = channel_of(bio).input_;
    if (input.empty()) {
      BIO_set_retry_read(bio);
      return -1;
    }
    const std::size_t count = std::min(input.size(), static_cast<std::size_t>(size));
    std::memcpy(out, input.data(), count);
    input.remove_prefix(count);
    return static_cast<int>(count);
  }

  static int write(BIO* bio, const char* bytes, int size) {
    BIO_clear_retry_flags(bio);
    Channel& channel = channel_of(bio);
    try {
      channel.work_.ciphertext.append(bytes, static_cast<std::size_t>(size));
    } catch (const std::bad_alloc&) {
      channel.is_out_of_memory_ = true;
      return -1;
    }
    return size;
  }

  // Sees every message of TLS itself but one: a client who wants to begin anew (TLS 1.2) shows by the warning that he
  // is sent.
  static void watch(int is_sent, int, int content_type, const void*, std::size_t, SSL*,
                    void* channel) {
    auto& own = *static_cast<Channel*>(channel);
    const bool counts =
        is_sent != 0 ? content_type == SSL3_RT_ALERT : content_type == SSL3_RT_HANDSHAKE;
    if (counts && own.is_established_) ++own.own_messages_;
  }

  // Nothing is held here that could be flushed; of the rest OpenSSL needs nothing.
  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static const BIO_METHOD* method() {
    static const BIO_METHOD* const made = [] {
      BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "helios");
      if (method == nullptr) throw std::bad_alloc();
      BIO_meth_set_read(method, read);
      BIO_meth_set_write(method, write);
      BIO_meth_set_ctrl(method, control);
      return method;
    }();
    return made;
  }
};

namespace {

// By the digest of its signature; by SHA-256 where that is MD5 or SHA-1.
std::string digest_of(const X509* certificate) {
  int nid = NID_undef;
  if (certificate == nullptr ||
      X509_get_signature_info(const_cast<X509*>(certificate), &nid, nullptr, nullptr, nullptr) !=
          1 ||
      nid == NID_undef)
    return {};
  const EVP_MD* digest =
      nid == NID_md5 || nid == NID_sha1 ? EVP_sha256() : EVP_get_digestbynid(nid);
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int size = 0;
  if (digest == nullptr || X509_digest(certificate, digest, bytes.data(), &size) != 1) return {};
  return {reinterpret_cast<const char*>(bytes.data()), size};
}

// Its certificate was verified, or the handshake would have failed.
std::optional<CertificateNames> client_of(const SSL* connection) {
  if (SSL_is_server(connection) == 0) return std::nullopt;
  const X509* certificate = SSL_get0_peer_certificate(connection);
  if (certificate == nullptr || SSL_get_verify_result(connection) != X509_V_OK) return std::nullopt;
  return names_of(certificate);
}

const X509* server_certificate(const SSL* connection) {
  return SSL_is_server(connection) == 1 ? SSL_get_certificate(connection)
                                        : SSL_get0_peer_certificate(connection);
}

}  // namespace

Channel::Channel(Opening opening, Work& work)
    : context_(std::move(opening.context)),
      work_(work),
      connection_(std::move(opening.connection)) {
  BIO* bio = BIO_new(Bio::method());
  if (bio == nullptr) throw std::bad_alloc();
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(connection_.get(), bio, bio);  // takes it
  SSL_set_msg_callback(connection_.get(), Bio::watch);
  // By its function: the macro casts as C does.
  SSL_ctrl(connection_.get(), SSL_CTRL_SET_MSG_CALLBACK_ARG, 0, this);
}

Channel::~Channel() = default;

Channel::Step Channel::step(std::string_view& ciphertext) {
  if (!error_.empty()) return Step::failed;
  input_ = ciphertext;
  clear_errors();
  const Step step = is_established_ ? read() : shake_hands();
  ciphertext = std::exchange(input_, {});
  if (is_out_of_memory_) throw std::bad_alloc();
  return step;
}

Channel::Step Channel::shake_hands() {
  const int result = SSL_do_handshake(connection_.get());
  if (result != 1) return stop_at(result);
  is_established_ = true;
  return Step::established;
}

Channel::Step Channel::read() {
  std::size_t count = 0;
  const int result =
      SSL_read_ex(connection_.get(), work_.plaintext.data(), work_.plaintext.size(), &count);
  // New keys, wishes to begin anew, tickets: each costs work or an answer, and no session sees it.
  if (own_messages_ > kMaxOwnMessages) {
    error_ = "too many messages of TLS itself without a word";
    return Step::failed;
  }
  if (result != 1) return stop_at(result);
  own_messages_ = 0;
  plaintext_ = {work_.plaintext.data(), count};
  return Step::data;
}

Channel::Step Channel::stop_at(int result) {
  switch (SSL_get_error(connection_.get(), result)) {
    case SSL_ERROR_WANT_READ: return Step::more;
    case SSL_ERROR_ZERO_RETURN: return Step::end;
    default: error_ = describe_failure(); return Step::failed;
  }
}

std::string Channel::describe_failure() const {
  std::string what = take_error();
  const long verdict = SSL_get_verify_result(connection_.get());
  if (verdict != X509_V_OK)
    what += std::string(" (") + X509_verify_cert_error_string(verdict) + ")";
  return what;
}

// A record takes all that it is offered, so that it is written whole or not at all.
void Channel::write(std::string_view plaintext) {
  if (!is_established_ || is_closed_ || !error_.empty()) return;
  clear_errors();
  while (!plaintext.empty()) {
    std::size_t count = 0;
    if (SSL_write_ex(connection_.get(), plaintext.data(), plaintext.size(), &count) != 1) {
      if (is_out_of_memory_) throw std::bad_alloc();
      error_ = take_error();
      return;
    }
    plaintext.remove_prefix(count);
  }
}

void Channel::close() {
  if (!is_established_ || !error_.empty() || std::exchange(is_closed_, true)) return;
  clear_errors();
  // 0: the peer has not said it yet, for which nobody waits here.
  if (SSL_shutdown(connection_.get()) < 0) clear_errors();
  if (is_out_of_memory_) throw std::bad_alloc();
}

Facts Channel::facts() const {
  const unsigned char* protocol = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(connection_.get(), &protocol, &size);
  return {.version = SSL_get_version(connection_.get()),
          .cipher = SSL_get_cipher_name(connection_.get()),
          .has_protocol = size != 0,
          .channel_binding = digest_of(server_certificate(connection_.get())),
          .client = client_of(connection_.get())};
}

}  // namespace helios::tls
