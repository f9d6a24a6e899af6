// SPDX-License-Identifier: Apache-2.0

#include "net/tls_stream.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

namespace helios::net {
namespace {

// What a large result has made of the memory that all streams share is given back.
constexpr std::size_t kKeptCiphertextBytes = 256 * 1024;

// What one stream has to say is gone when this is, also where it could not be sent: the next one that uses the memory is
// another client's.
class OwnCiphertext {
 public:
  explicit OwnCiphertext(tls::Work& work) : bytes_(work.ciphertext) {}
  ~OwnCiphertext() {
    bytes_.clear();
    if (bytes_.capacity() > kKeptCiphertextBytes) bytes_ = {};
  }
  OwnCiphertext(const OwnCiphertext&) = delete;
  OwnCiphertext& operator=(const OwnCiphertext&) = delete;

 private:
  std::string& bytes_;
};

}  // namespace

StreamPtr TlsStream::make(Engine& engine, tls::Work& work, Options options, StreamPtr below,
                          StreamHandler& handler, TlsHandler& tls_handler, LossReport loss_report) {
  const bool has_first_word = options.opening.is_client || !options.first_bytes.empty();
  auto* layer = new TlsStream(engine, work, std::move(options), std::move(below), handler,
                              tls_handler, loss_report);
  layer->below_->report_to(*layer);
  layer->below_->resume_receiving();
  if (has_first_word) engine.defer(*layer);
  return StreamPtr(layer);
}

TlsStream::TlsStream(Engine& engine, tls::Work& work, Options options, StreamPtr below,
                     StreamHandler& handler, TlsHandler& tls_handler, LossReport loss_report)
    : engine_(engine),
      work_(work),
      below_(std::move(below)),
      handler_(&handler),
      tls_handler_(tls_handler),
      loss_report_(loss_report),
      requires_protocol_(options.requires_protocol),
      channel_(std::move(options.opening), work),
      held_(std::move(options.first_bytes)) {}

// ---- Sending

// Small pieces go into one record: each has 22 bytes and a pass of the cipher of its own.
void TlsStream::send(std::span<const std::string_view> pieces) {
  if (!channel_.is_established()) return;
  const OwnCiphertext own(work_);
  std::size_t gathered = 0;
  for (auto piece : pieces) {
    if (gathered == 0 && piece.size() >= work_.outgoing.size()) {
      channel_.write(piece);
      continue;
    }
    while (!piece.empty()) {
      const std::size_t count = std::min(piece.size(), work_.outgoing.size() - gathered);
      std::memcpy(work_.outgoing.data() + gathered, piece.data(), count);
      gathered += count;
      piece.remove_prefix(count);
      if (gathered == work_.outgoing.size())
        channel_.write({work_.outgoing.data(), std::exchange(gathered, 0)});
    }
  }
  if (gathered != 0) channel_.write({work_.outgoing.data(), gathered});
  flush();
  if (channel_.has_failed()) engine_.defer(*this);  // a record that could not be written ends it
}

// What the channel has to say goes to the stream below, which takes all of it.
void TlsStream::flush() {
  const std::string_view all(work_.ciphertext);
  if (!all.empty()) below_->send({&all, 1});
}

void TlsStream::say_goodbye() {
  const OwnCiphertext own(work_);
  channel_.close();
  flush();
}

void TlsStream::finish_sending() {
  say_goodbye();
  below_->finish_sending();
}

// ---- Receiving

void TlsStream::pause_receiving() {
  is_paused_ = true;
  below_->pause_receiving();
}

void TlsStream::resume_receiving() {
  if (!std::exchange(is_paused_, false)) return;
  below_->resume_receiving();
  if (!held_.empty() || has_end_ || loss_) engine_.defer(*this);
}

void TlsStream::on_received(std::string_view bytes) {
  contain([&] { take(bytes); });
}

// Handlers let nothing out; what comes here is want of memory. The others go on.
template <typename Event>
void TlsStream::contain(Event event) {
  try {
    event();
  } catch (const std::bad_alloc&) {
    if (handler_ == nullptr) return;
    below_.reset();
    std::exchange(handler_, nullptr)->on_lost(ENOMEM);
  }
}

void TlsStream::take(std::string_view bytes) {
  if (!held_.empty()) {
    held_.append(bytes);
    return advance_held();
  }
  advance(bytes);
  if (handler_ == nullptr) return;
  held_.assign(bytes);
  report_end();
}

void TlsStream::advance_held() {
  std::string_view rest(held_);
  advance(rest);
  held_.erase(0, held_.size() - rest.size());
  if (held_.empty()) held_.shrink_to_fit();
  report_end();
}

// Every handler may pause it, or let it go.
void TlsStream::advance(std::string_view& input) {
  while (handler_ != nullptr && !is_paused_ && !has_end_ && take_step(input)) {
  }
  if (has_end_) input = {};
}

tls::Channel::Step TlsStream::step(std::string_view& input) {
  const OwnCiphertext own(work_);
  const auto step = channel_.step(input);
  flush();
  return step;
}

// False: there is nothing to be done with what has come.
bool TlsStream::take_step(std::string_view& input) {
  switch (step(input)) {
    case tls::Channel::Step::more: return false;
    case tls::Channel::Step::established: on_established(); return true;
    case tls::Channel::Step::data: handler_->on_received(channel_.plaintext()); return true;
    case tls::Channel::Step::end: has_end_ = true; return false;
    case tls::Channel::Step::failed: fail(channel_.error()); return false;
  }
  return false;
}

void TlsStream::on_established() {
  const tls::Facts facts = channel_.facts();
  if (requires_protocol_ && !facts.has_protocol)
    return fail("direct TLS without the protocol's name (ALPN \"postgresql\")");
  tls_handler_.on_encrypted(facts);
}

// The peer is given the time to read why.
void TlsStream::fail(const std::string& reason) {
  tls_handler_.on_tls_failed(reason);
  if (handler_ == nullptr) return;
  close_when_flushed(std::move(below_));
  std::exchange(handler_, nullptr)->on_lost(EPROTO);
}

void TlsStream::on_eof() {
  if (!has_end_) loss_ = ECONNRESET;
  report_end();
}

void TlsStream::on_lost(int error) {
  loss_ = error;
  if (loss_report_ == LossReport::at_once) held_.clear();
  report_end();
}

// Behind all that came before it.
void TlsStream::report_end() {
  if (handler_ == nullptr || !held_.empty()) return;
  if (loss_ && (!is_paused_ || loss_report_ == LossReport::at_once)) {
    report_loss();
  } else if (has_end_ && !is_paused_ && !std::exchange(is_end_reported_, true)) {
    handler_->on_eof();
  }
}

void TlsStream::report_loss() {
  if (!channel_.is_established())
    tls_handler_.on_tls_failed("the connection ended in the handshake");
  if (handler_ != nullptr) std::exchange(handler_, nullptr)->on_lost(*loss_);
}

void TlsStream::on_drained() {
  if (handler_ != nullptr) handler_->on_drained();
}

void TlsStream::on_turn() {
  contain([this] { advance_held(); });
}

// ---- The end

// A descriptor alone is of no use to anybody: see Stream.
void TlsStream::detach(DetachHandler&) { assert(false && "it is no stream of an engine's own"); }

// Code of it may be running: it goes when the round is over.
template <typename End>
void TlsStream::let_go(End end) {
  handler_ = nullptr;
  if (below_) end(std::move(below_));
  engine_.dispose(std::unique_ptr<Deferred>(this));
}

void TlsStream::linger() {
  if (below_) say_goodbye();
  let_go([](StreamPtr below) { close_when_flushed(std::move(below)); });
}

void TlsStream::release() {
  let_go([](StreamPtr below) { below.reset(); });
}

}  // namespace helios::net
