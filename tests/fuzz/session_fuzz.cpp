// SPDX-License-Identifier: Apache-2.0
//
// One session, its client and its server saying anything. Whatever they say: the same bytes come out
// however their own are cut; every pre_query that counts has one post_query; when both are gone, the
// session ends.
// Input: a line of letters that choose the configuration (see options()), then a script, see
// support/session_script.hpp.

#include "base/byte_writer.hpp"
#include "fuzz/support/fuzz.hpp"
#include "fuzz/support/recording_plugin.hpp"
#include "fuzz/support/session_script.hpp"

#include <algorithm>
#include <vector>

namespace helios::fuzz {
namespace {

using namespace session::test;
using Kind = Event::Kind;

constexpr std::size_t kMaxEvents = 64;
constexpr std::int64_t kPassingMs = 1000;

struct Script {
  std::string letters;
  std::vector<Event> events;

  [[nodiscard]] bool has(char letter) const { return letters.contains(letter); }
};

Script read_script(std::string_view text) {
  Input input(text);
  Script script{.letters = std::string(input.take_line()), .events = {}};
  while (!input.empty() && script.events.size() < kMaxEvents)
    script.events.push_back(read_event(input.take_line()));
  return script;
}

Options options(const Script& script) {
  Options options;
  config::Config& config = options.config;
  if (script.has('x')) config.protocol.function_call = config::Policy::allow;
  if (script.has('u')) config.protocol.unparsed = config::Policy::allow;
  if (script.has('n')) config.tenant.unknown = config::Policy::allow;
  if (script.has('k')) config.kv_sql.readers = {"ann"};
  if (script.has('q')) config.protocol.max_query_bytes = 32;
  if (script.has('s')) config.tenant.setters = {};
  if (script.has('r')) {
    config.identity.rules.push_back(tenant_rule("a*", "of-{*}", script.has('i')));
    config.identity.rules.back().settings.emplace_back("helios.team", "{user*}");
  }
  if (script.has('t')) {
    config.limits.idle_timeout_ms = 900;
    config.limits.query_timeout_ms = 900;
    config.limits.idle_in_transaction_timeout_ms = 900;
  }
  options.pending = script.has('p');
  return options;
}

// Everything that can be seen from outside.
struct Seen {
  std::string to_client;
  std::string to_server;
  std::string ends;
  std::string calls;
};

class Run {
 public:
  explicit Run(const Script& script)
      : plugin_(script.has('a') ? hooks::OnError::allow : hooks::OnError::deny),
        harness_(with_plugin(script)) {
    if (!script.has('l')) harness_.connect();
  }

  // `part_bytes`: what arrives is cut into parts of that many bytes; 0 = not at all.
  void play(const Event& event, std::size_t part_bytes) {
    switch (event.kind) {
      case Kind::client_bytes:
      case Kind::server_bytes: deliver(event, part_bytes); break;
      case Kind::client_eof: harness_.client_eof(); break;
      case Kind::client_lost: harness_.client_lost(); break;
      case Kind::server_eof: harness_.server_eof(); break;
      case Kind::server_connected: harness_.server_connected(); break;
      case Kind::server_failed: break;  // the harness has no word for it
      case Kind::cancel: harness_.cancel(); break;
      case Kind::drain: harness_.drain(false); break;
      case Kind::drain_at_once: harness_.drain(true); break;
      case Kind::time_passes: harness_.pass_ms(kPassingMs); break;
    }
  }

  Seen end() {
    Seen seen{
        .to_client = harness_.to_client,
        .to_server = harness_.to_server,
        .ends = std::to_string(harness_.client_closed) + std::to_string(harness_.server_closed) +
                std::to_string(harness_.server_finished) + std::to_string(harness_.cancels_sent) +
                std::to_string(harness_.asked_to_connect),
        .calls = plugin_.calls()};
    harness_.client_lost();
    harness_.server_eof();
    require(harness_.session->finished(), "a session whose ends are gone is over");
    plugin_.require_settled();
    return seen;
  }

 private:
  Options with_plugin(const Script& script) {
    Options result = options(script);
    if (!script.has('0')) result.plugins = {plugin_.plugin()};
    return result;
  }

  void deliver(const Event& event, std::size_t part_bytes) {
    std::string_view rest = event.bytes;
    const std::size_t step = part_bytes == 0 ? rest.size() : part_bytes;
    while (!rest.empty()) {
      const std::string part(rest.substr(0, step));
      rest.remove_prefix(part.size());
      if (event.kind == Kind::client_bytes) {
        harness_.client_sends(part);
      } else {
        harness_.server_sends(part);
      }
    }
  }

  RecordingPlugin plugin_;
  SessionHarness harness_;
};

Seen run(const Script& script, std::size_t part_bytes) {
  Run run(script);
  for (const Event& event : script.events) run.play(event, part_bytes);
  return run.end();
}

bool is_one_message(std::string_view bytes) {
  return bytes.size() >= 5 &&
         static_cast<std::uint32_t>(base::load_i32(bytes.data() + 1)) + 1 == bytes.size();
}

// Some things rightly depend on what arrives together: bytes behind a request for encryption, what
// the server says behind the ReadyForQuery that lets a draining session end, and whether a message of
// the client that had to wait comes before or behind what the server says next.
bool depends_on_cuts(const Script& script) {
  using namespace std::string_view_literals;
  return std::ranges::any_of(script.events, [](const Event& event) {
    const bool is_several = event.kind == Kind::server_bytes && !is_one_message(event.bytes);
    return is_several || event.kind == Kind::drain || event.bytes.contains("\x04\xD2\x16"sv);
  });
}

}  // namespace
}  // namespace helios::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace helios::fuzz;
  abort_on_failed_expectations();
  const Script script = read_script(text_of(data, size));
  const Seen whole = run(script, 0);
  if (depends_on_cuts(script)) return 0;
  for (const std::size_t part_bytes : {std::size_t{1}, size % 7 + 2}) {
    const Seen parts = run(script, part_bytes);
    require_equal(parts.to_client, whole.to_client, "to the client, however it is cut");
    require_equal(parts.to_server, whole.to_server, "to the server, however it is cut");
    require_equal(parts.ends, whole.ends, "the ends, however it is cut");
    require_equal(parts.calls, whole.calls, "the hooks, however it is cut");
  }
  return 0;
}
