// SPDX-License-Identifier: Apache-2.0
//
// A live proxy: one client and its server say and do anything, while another session on the same
// worker asks and is answered as if it were alone. Afterwards nothing of the first is left.
// Input: a line that chooses how the session begins and ends, then a script, see
// support/session_script.hpp; a line "." lets the quiet session ask in between.

#include "fuzz/support/fuzz.hpp"
#include "fuzz/support/live_proxy.hpp"
#include "fuzz/support/session_script.hpp"

#include <algorithm>

#include <sys/socket.h>

namespace helios::fuzz {
namespace {

constexpr std::size_t kMaxEvents = 24;

// Cut in two, so that the proxy sees parts of messages, at a place that the input chooses.
template <typename Send>
void in_parts(std::string_view bytes, std::size_t cut, Send send) {
  send(bytes.substr(0, cut));
  send(bytes.substr(std::min(cut, bytes.size())));
}

class Visitor {
 public:
  explicit Visitor(LiveProxy& proxy) : proxy_(proxy), session_(proxy.connect()) {}

  // A client that logs in; without this it says what the script says.
  void log_in() {
    session_.client_sends(session::test::startup_packet({{"user", "visitor"}}));
    if (proxy_.await_server(session_)) session_.server_sends(session::test::server_greeting());
  }

  void play(const Event& event, std::size_t cut) {
    switch (event.kind) {
      case Event::Kind::client_bytes:
        in_parts(event.bytes, cut, [&](std::string_view part) { session_.client_sends(part); });
        break;
      case Event::Kind::server_bytes:
        in_parts(event.bytes, cut, [&](std::string_view part) { session_.server_sends(part); });
        break;
      case Event::Kind::client_eof: ::shutdown(session_.client.get(), SHUT_WR); break;
      case Event::Kind::server_eof: ::shutdown(session_.server.get(), SHUT_WR); break;
      case Event::Kind::client_lost: session_.client = {}; break;
      case Event::Kind::server_connected:
      case Event::Kind::server_failed:
      case Event::Kind::cancel:
      case Event::Kind::drain:
      case Event::Kind::drain_at_once:
      case Event::Kind::time_passes: break;  // not for a visitor to decide
    }
  }

  void leave(LiveProxy::End end) { proxy_.end(std::move(session_), end); }

 private:
  LiveProxy& proxy_;
  WildSession session_;
};

LiveProxy::End choose_end(std::string_view letters) {
  if (letters.contains('r')) return LiveProxy::End::client_resets;
  if (letters.contains('s')) return LiveProxy::End::server_closes;
  return LiveProxy::End::client_closes;
}

LiveProxy& proxy() {
  static auto* const proxy = new LiveProxy;
  return *proxy;
}

}  // namespace
}  // namespace helios::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace helios::fuzz;
  abort_on_failed_expectations();
  Input input(text_of(data, size));
  const std::string_view letters = input.take_line();
  Visitor visitor(proxy());
  if (!letters.contains('l')) visitor.log_in();
  for (std::size_t i = 0; i < kMaxEvents && !input.empty(); ++i) {
    const std::string_view line = input.take_line();
    if (line == ".") {
      proxy().ping();
    } else {
      visitor.play(read_event(line), letters.size() * i);
    }
  }
  visitor.leave(choose_end(letters));
  proxy().ping();
  proxy().require_clean();
  return 0;
}
