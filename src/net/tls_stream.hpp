// SPDX-License-Identifier: Apache-2.0
#pragma once

// A stream that encrypts, on the stream of a client or of a server. What is sent before the handshake is done is
// dropped: nobody could read it, and it may not go out in clear.
//
// It takes the other stream's place between two events: all that was sent before has gone there, in front of the handshake; all that
// was reported before was read without it. Whoever expects the handshake behind a message has to stop reading at its end: bytes that
// came with it were not protected, and must not be taken for bytes of what follows.
//
// The peer ends an encrypted connection with a word of its own (close_notify), which is on_eof(). Without it somebody may
// have cut the connection on the way: that is on_lost(), whatever TCP says.
//
// Thread rule: the engine's thread.

#include "net/engine/engine.hpp"
#include "tls/channel.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace helios::net {

// Is told what becomes of the encryption, beside what the StreamHandler is told.
class TlsHandler {
 public:
  // Once, before the first byte is reported.
  virtual void on_encrypted(const tls::Facts& facts) = 0;
  // The handshake, or a record behind it, was wrong: `reason`, in one line. on_lost() follows.
  virtual void on_tls_failed(const std::string& reason) = 0;

 protected:
  ~TlsHandler() = default;
};

class TlsStream final : public Stream, private StreamHandler, private Deferred {
 public:
  struct Options {
    tls::Opening opening;
    std::string first_bytes = {};    // of the peer's, that the stream below has reported already
    bool requires_protocol = false;  // the client has to name what is spoken inside (ALPN)
  };

  // It begins to receive, whatever the stream below did. With LossReport::after_received, what it holds itself is reported first.
  // When it throws, the connection is closed. Lifetime: `engine`, `work` and both handlers outlive it.
  static StreamPtr make(Engine& engine, tls::Work& work, Options options, StreamPtr below,
                        StreamHandler& handler, TlsHandler& tls_handler, LossReport loss_report);

  // ---- Stream
  void report_to(StreamHandler& handler) override { handler_ = &handler; }
  void send(std::span<const std::string_view> pieces) override;
  [[nodiscard]] std::size_t pending_bytes() const override { return below_->pending_bytes(); }
  [[nodiscard]] bool congested() const override { return below_->congested(); }
  void pause_receiving() override;
  void resume_receiving() override;
  void finish_sending() override;
  void detach(DetachHandler& handler) override;
  void linger() override;
  void release() override;

 private:
  TlsStream(Engine& engine, tls::Work& work, Options options, StreamPtr below,
            StreamHandler& handler, TlsHandler& tls_handler, LossReport loss_report);

  // ---- StreamHandler, of the stream below
  void on_received(std::string_view bytes) override;
  void on_eof() override;
  void on_lost(int error) override;
  void on_drained() override;

  // ---- Deferred
  void on_turn() override;

  void advance(std::string_view& input);
  void advance_held();
  tls::Channel::Step step(std::string_view& input);
  bool take_step(std::string_view& input);
  void on_established();
  void fail(const std::string& reason);
  void report_end();
  void report_loss();
  void flush();
  void say_goodbye();
  void take(std::string_view bytes);
  template <typename Event>
  void contain(Event event);
  template <typename End>
  void let_go(End end);

  Engine& engine_;
  tls::Work& work_;
  StreamPtr below_;         // null: it was let go
  StreamHandler* handler_;  // null: likewise, or told of the loss
  TlsHandler& tls_handler_;
  const LossReport loss_report_;
  const bool requires_protocol_;
  tls::Channel channel_;
  std::string held_;  // what has come while the handler wanted nothing
  bool is_paused_ = false;
  bool has_end_ = false;  // the peer has said that nothing more comes
  bool is_end_reported_ = false;
  std::optional<int> loss_;  // of the stream below, or its end without that word
};

}  // namespace helios::net
