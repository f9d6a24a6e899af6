// SPDX-License-Identifier: Apache-2.0
#pragma once

// One connected socket under epoll. Private to this module.

#include "net/engine/epoll_source.hpp"

namespace helios::net {

class EpollStream final : public Stream, public EpollSource {
 public:
  EpollStream(EpollCore& core, Fd connection, StreamHandler& handler, LossReport loss_report);

  // Registers the socket. A failure is reported through on_lost() later.
  void start();

  void report_to(StreamHandler& handler) override { handler_ = &handler; }
  void send(std::span<const std::string_view> pieces) override;
  [[nodiscard]] std::size_t pending_bytes() const override { return output_.bytes(); }
  [[nodiscard]] bool congested() const override { return output_.congested(); }
  void pause_receiving() override { paused_ = true; }
  void resume_receiving() override;
  void finish_sending() override;
  void detach(DetachHandler& handler) override;
  void linger() override;
  void release() override;

  void on_events(std::uint32_t events) override;
  void service() override;

 private:
  void flush();
  void on_flushed();
  void set_broken(int error);
  void receive();
  void receive_lingering();
  void report_lost();
  void hand_over();
  void restart_linger_clock(std::int64_t delay_ms);

  EpollCore& core_;
  Fd socket_;                       // none: it was handed over, or the stream was released
  StreamHandler* handler_;          // null once nothing may be reported any more
  DetachHandler* taker_ = nullptr;  // of the connection; until it has it
  LossReport loss_report_;

  OutputQueue output_;
  bool finishing_ = false;  // half-close when output_ is empty
  bool finished_ = false;   // half-closed

  bool paused_ = false;
  bool readable_ = false;    // a receive may find something
  bool peer_ended_ = false;  // the kernel has seen the peer's end: receive until it shows
  bool eof_reported_ = false;
  bool broken_ = false;  // no byte can be sent any more
  bool released_ = false;
  int error_ = 0;  // why, where that is known

  LingerClock linger_clock_;
};

}  // namespace helios::net
