// SPDX-License-Identifier: Apache-2.0
#pragma once

// One connected socket under epoll. Private to this module.

#include "net/epoll_source.hpp"

#include <string>

namespace helios::net {

class EpollStream final : public Stream, public EpollSource {
 public:
  EpollStream(EpollCore& core, Fd connection, StreamHandler& handler, LossReport loss_report);

  // Registers the socket. A failure is reported through on_lost() later.
  void start();

  void send(std::span<const std::string_view> pieces) override;
  [[nodiscard]] std::size_t pending_bytes() const override { return pending_.size() - sent_; }
  [[nodiscard]] bool congested() const override { return congested_; }
  void pause_receiving() override { paused_ = true; }
  void resume_receiving() override;
  void finish_sending() override;
  void linger() override;
  void release() override;

  void on_events(std::uint32_t events) override;
  void service() override;

 private:
  std::size_t send_now(std::span<const std::string_view> pieces);
  bool send_batch(std::span<const std::string_view> pieces, std::size_t skip, std::size_t& taken);
  void drop_sent_prefix();
  void flush();
  void on_flushed();
  void set_broken(int error);
  void receive();
  void receive_lingering();
  void report_lost();
  void restart_linger_timer(std::int64_t delay_ms);

  EpollCore& core_;
  Fd socket_;
  StreamHandler* handler_;  // null once nothing may be reported any more
  LossReport loss_report_;

  std::string pending_;  // bytes that the kernel has not taken; the first sent_ of them it has
  std::size_t sent_ = 0;
  bool congested_ = false;
  bool finishing_ = false;  // half-close when pending_ is empty
  bool finished_ = false;   // half-closed

  bool paused_ = false;
  bool readable_ = false;    // a receive may find something
  bool peer_ended_ = false;  // the kernel has seen the peer's end: receive until it shows
  bool eof_reported_ = false;
  bool broken_ = false;  // no byte can be sent any more
  int error_ = 0;        // why, where that is known

  bool lingering_ = false;
  TimerId linger_timer_;
};

}  // namespace helios::net
