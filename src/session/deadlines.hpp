// SPDX-License-Identifier: Apache-2.0
#pragma once

// What may take how long. A session waits for one thing at a time. The time starts anew when that changes, with every
// message of an idle client, and with every answer that the server is through with and every piece of COPY data. What a
// client sends behind a statement does not put off the end of its time.
//
// Thread rule: the session's.

#include "base/clock.hpp"
#include "config/config.hpp"

#include <cstdint>
#include <optional>

namespace helios::session {

class Deadlines {
 public:
  // `farewell`: of a client who is turned away, for the packet that he is told so behind; `dropped`: of one who is told nothing.
  enum class Waiting { nothing, dropped, farewell, login, answer, in_transaction, idle };

  // The client has sent something.
  void note_message() { has_message_ = true; }
  // What the client waits for has gone on.
  void note_progress() { has_progress_ = true; }
  // At the end of an event. `ended`: how many messages the server is through with, in all. Reads the clock only where a
  // limit is configured.
  void update(Waiting waiting, std::uint64_t ended, const config::Limits& limits,
              const base::Clock& clock);
  // Takes the deadline: what was waited for too long; nullopt: there is still time.
  [[nodiscard]] std::optional<Waiting> take_due(const base::Clock& clock);
  // At a deadline, a server that may keep its answers until a Flush is to be asked for them, once: the time begins anew
  // behind that. True = it was not asked since the last answer.
  [[nodiscard]] bool is_to_ask(std::uint64_t ended);
  // Nothing is waited for any more.
  void stop() { deadline_ns_.reset(); }

  [[nodiscard]] std::optional<std::int64_t> deadline_ns() const { return deadline_ns_; }

 private:
  Waiting waiting_ = Waiting::nothing;
  std::optional<std::int64_t> deadline_ns_;
  bool has_message_ = false;  // since the last update
  bool has_progress_ = false;
  std::uint64_t ended_ = 0;
  std::optional<std::uint64_t> asked_at_;  // how many had ended when the server was asked
};

}  // namespace helios::session
