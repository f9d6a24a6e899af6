// SPDX-License-Identifier: Apache-2.0
#pragma once

// One connected socket under io_uring. Private to this module.
//
// Receiving: one request stays with the kernel and completes again and again. A paused stream leaves
// it there, as pausing is frequent and bytes rarely come then. If bytes do come, they are kept in a
// buffer of the stream, the ring's buffer goes back at once, and the request is cancelled: what a
// stream can hold is what the kernel had received before the cancelling, at most all buffers of the
// ring once. The request is made again when what is kept was delivered.
//
// Sending: what a round produces is copied, and sent by one request when the round is over; large
// outputs are offered to the kernel at once, without the copy. One send is under way at a time.
//
// Detaching: every request is cancelled. What they complete with all the same, bytes that were received or taken, is
// accounted for before the socket is handed over.

#include "net/engine/output_queue.hpp"
#include "net/engine/uring_source.hpp"

#include <string>

namespace helios::net {

class UringStream final : public Stream, public UringSource {
 public:
  UringStream(UringCore& core, Fd connection, StreamHandler& handler, LossReport loss_report);

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

  bool prepare() override;
  void on_completion(UringUse use, const UringCompletion& completion,
                     std::string_view received) override;
  void on_sent_at_once() override;
  void service() override;
  void abandon() override { release(); }

 private:
  // Outputs from this size on are not copied: the copy would cost more than the system call.
  static constexpr std::size_t kLargeOutputBytes = 16 * 1024;

  [[nodiscard]] bool is_idle() const {
    return !receive_.under_way() && !sending() && !watch_.under_way();
  }
  [[nodiscard]] bool sending() const { return send_at_once_.under_way() || send_.under_way(); }
  [[nodiscard]] bool wants_receive() const;
  [[nodiscard]] bool wants_watch() const;
  bool prepare_receive();
  bool prepare_send();
  [[nodiscard]] bool can_send_at_once() const;
  bool prepare_send_at_once();
  bool prepare_ordinary_send();
  bool prepare_watch();
  bool cancel_all();

  void on_receive(const UringCompletion& completion, std::string_view received);
  void on_bytes(std::string_view bytes);
  void on_end();
  void on_sent(int result);
  void on_watch(int events);

  void send_now(std::span<const std::string_view> pieces);
  void consume(std::size_t sent);
  void finish_if_flushed();
  void set_broken(int error);
  void deliver_kept();
  void receive_rest();
  void report_lost();
  void hand_over();
  void hand_over_when_idle();
  void restart_linger_clock(std::int64_t delay_ms);

  UringCore& core_;
  Fd socket_;                       // none: it was handed over
  StreamHandler* handler_;          // null once nothing may be reported any more
  DetachHandler* taker_ = nullptr;  // of the connection; until it has it
  LossReport loss_report_;
  UringRequest receive_{UringUse::receive};
  UringRequest send_at_once_{UringUse::send_at_once};
  UringRequest send_{UringUse::send};    // waits until the kernel takes something
  UringRequest watch_{UringUse::watch};  // for a loss, while nothing is received

  OutputQueue output_;
  bool kernel_is_full_ = false;  // the kernel has not taken all of it: wait until it takes more
  bool finishing_ = false;       // half-close when output_ is empty
  bool finished_ = false;        // half-closed

  bool paused_ = false;
  std::string kept_;           // received while paused
  std::size_t delivered_ = 0;  // bytes at the beginning of kept_ that were delivered since
  bool ended_ = false;         // the peer's end was received
  bool hung_up_ = false;       // both sides have ended: there is nothing to watch for any more
  bool eof_reported_ = false;
  bool broken_ = false;  // no byte can be sent any more
  int error_ = 0;        // why, where that is known
  bool released_ = false;

  LingerClock linger_clock_;
};

}  // namespace helios::net
