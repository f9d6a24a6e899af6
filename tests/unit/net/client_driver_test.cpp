// SPDX-License-Identifier: Apache-2.0
//
// Goal: a client and its link, driven, pass every byte on, whatever pieces they come in and whoever is slow, and leave
// nothing behind whenever somebody goes. Without sockets, and in the same order each time.

#include "net/client_driver.hpp"

#include "net/cancel_sender.hpp"
#include "support/capture_log.hpp"
#include "unit/net/proxy_fixture.hpp"
#include "unit/net/simulated_engine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

namespace helios::net {
namespace {

using testing::HasSubstr;

struct NoSink final : CancelSink {
  void cancel(SessionId, base::Task done) override { done(); }
};

const std::string kGreeting =
    message('R', int32(0)) + message('K', int32(7) + "key!") + message('Z', "I");

// What one side says when the other one has said what stands in front of it.
struct Part {
  bool is_client = false;
  std::string bytes;
};

const std::vector<Part> kConversation{
    {false, kGreeting},
    {true, query("SELECT 1")},
    {false, message('D', std::string(3000, 'x')) + message('C', std::string_view("SELECT 1\0", 9)) +
                message('Z', "I")},
    {true, query("COPY t FROM STDIN")},
    {false, message('G', std::string_view("\0\0\0", 3))},
    {true, message('d', "1\n") + message('d', std::string(2000, 'y')) + message('c', "")},
    {false, message('C', std::string_view("COPY 2\0", 7)) + message('Z', "I")},
    {true, message('X', "")},
};

class Driven {
 public:
  // `is_watching`: plugins may be loaded, so that texts are read whole before a byte of them goes on.
  explicit Driven(bool is_watching = false) {
    auto config = config::default_config();
    config.limits.login_timeout_ms = 5000;
    if (is_watching) config.plugins.directory = "/somewhere";
    environment_.home = &engine.mailbox();
    environment_.slow = &engine.mailbox();
    environment_.clock = &clock;
    environment_.log = &log_;
    environment_.analyzer = &analyzer_;
    environment_.counters = &counters_;
    environment_.config = std::make_shared<const config::Config>(config);
    environment_.chain =
        std::make_shared<hooks::Chain>(std::vector<std::shared_ptr<hooks::Plugin>>{});
    config::Server server;
    server.host = "127.0.0.1";
    target_ = server_target(server);
    driver_.emplace(context_, 1, Fd(),
                    session::Peer{.ip = "10.1.2.3", .os_user = {}, .session_id = "session-1"});
  }

  SimulatedStream& client() { return *engine.streams.at(0); }
  SimulatedStream& server() { return *engine.streams.at(1); }
  [[nodiscard]] bool has_server() const { return engine.streams.size() > 1; }

  void dial() {
    client().says(startup_packet());
    engine.settle();
    engine.connect_dialled();
    engine.settle();
  }
  void say(const Part& part) {
    (part.is_client ? client() : server()).says(part.bytes);
    engine.settle();
  }
  // The session is over: nothing of it is left. Empty, or what is.
  std::string complaint() {
    engine.settle();
    if (!has_retired_) return "it is not over";
    driver_.reset();
    engine.settle();
    if (!client().is_closed()) return "the client is still connected";
    if (has_server() && !server().is_closed()) return "the server is still connected";
    if (engine.timers() != 0) return "a timer runs";
    return registry_.size() == 0 ? "" : "the key is still known";
  }

  test::FakeClock clock;
  SimulatedEngine engine{clock};

 private:
  test::CaptureLog log_;
  sql::Analyzer analyzer_{sql::Analyzer::Options{}};
  session::Counters counters_;
  session::Environment environment_;
  ServerTarget target_;
  CancelRegistry registry_;
  NoSink sink_;
  CancelSender cancel_sender_{engine};
  WorkerStats stats_;
  bool has_retired_ = false;
  DriverContext context_{
      engine,          environment_,   target_, registry_,
      sink_,           cancel_sender_, stats_,  [this](SessionId) { has_retired_ = true; },
      [](SessionId) {}};
  std::optional<ClientDriver> driver_;
};

std::string said_by(bool is_client) {
  std::string all = is_client ? startup_packet() : "";
  for (const Part& part : kConversation) {
    if (part.is_client == is_client) all += part.bytes;
  }
  return all;
}

TEST(ClientDriver, passes_every_byte_whatever_pieces_they_come_in) {
  for (const std::size_t cut : {1, 2, 3, 5, 7, 64, 1000, 65536}) {
    SCOPED_TRACE(cut);
    Driven driven;
    driven.engine.cut = cut;
    driven.dial();
    for (const Part& part : kConversation) driven.say(part);
    EXPECT_EQ(driven.client().got(), said_by(false));
    EXPECT_EQ(driven.server().got(), said_by(true));
    EXPECT_EQ(driven.complaint(), "");
  }
}

TEST(ClientDriver, leaves_nothing_behind_whoever_goes_and_whenever) {
  for (const bool is_client : {true, false}) {
    for (const bool is_break : {true, false}) {
      for (std::size_t at = 0; at < kConversation.size(); ++at) {
        SCOPED_TRACE(testing::Message()
                     << "client " << is_client << ", break " << is_break << ", behind part " << at);
        Driven driven;
        driven.dial();
        for (std::size_t part = 0; part <= at; ++part) {
          if (!driven.server().is_closed()) driven.say(kConversation[part]);
        }
        SimulatedStream& who = is_client ? driven.client() : driven.server();
        is_break ? who.breaks() : who.ends();
        driven.engine.settle();
        // A client that only says nothing more is served to the end of the server.
        if (is_client && !is_break) driven.server().ends();
        EXPECT_EQ(driven.complaint(), "");
      }
    }
  }
}

TEST(ClientDriver, half_a_text_is_nothing) {
  const std::string half = query("SELECT 1");
  for (std::size_t size = 1; size < half.size(); ++size) {
    Driven driven(true);
    driven.dial();
    driven.say({false, kGreeting});
    const std::size_t before = driven.server().got().size();
    driven.say({true, half.substr(0, size)});
    driven.client().breaks();
    EXPECT_EQ(driven.complaint(), "");
    EXPECT_THAT(driven.server().got().substr(before), testing::AnyOf("", message('X', ""))) << size;
  }
}

TEST(ClientDriver, does_not_read_what_a_slow_client_cannot_take) {
  Driven driven;
  driven.dial();
  driven.say({false, kGreeting});
  driven.say({true, query("SELECT 1")});
  driven.client().reads(0);
  const std::string row = message('D', std::string(100'000, 'x'));
  for (int i = 0; i < 100; ++i) driven.server().says(row);
  driven.engine.settle();
  const std::size_t got = driven.client().got().size();
  EXPECT_EQ(got, kGreeting.size());
  driven.client().reads(std::string::npos);
  driven.say({false, message('C', std::string_view("SELECT 1\0", 9)) + message('Z', "I")});
  EXPECT_EQ(driven.client().got().size(), got + 100 * row.size() + 14 + 6);
}

TEST(ClientDriver, tells_a_client_that_there_is_no_server) {
  Driven driven;
  driven.client().says(startup_packet());
  driven.engine.settle();
  while (driven.engine.is_dialling()) driven.engine.refuse_dialled();
  driven.engine.settle();
  EXPECT_THAT(driven.client().got(), HasSubstr("57P03"));
  EXPECT_THAT(driven.client().got(), HasSubstr("Connection refused"));
  EXPECT_EQ(driven.complaint(), "");
}

TEST(ClientDriver, gives_up_a_server_that_does_not_answer_the_login) {
  Driven driven;
  driven.dial();
  driven.engine.pass_ms(4999);
  EXPECT_EQ(driven.client().got(), "");
  driven.engine.pass_ms(2);
  EXPECT_THAT(driven.client().got(), HasSubstr("canceling authentication due to timeout"));
  EXPECT_EQ(driven.complaint(), "");
}

}  // namespace
}  // namespace helios::net
