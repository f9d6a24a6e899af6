// SPDX-License-Identifier: Apache-2.0
//
// The way to the server before the protocol begins: what it may answer when it is asked for TLS, and what of that is
// believed; real cryptography on the simulated engine.

#include "net/server_connector.hpp"

#include "support/temporary_folder.hpp"
#include "support/tls_peer.hpp"
#include "unit/net/driven.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helios::net {
namespace {

using config::ServerTlsMode;
using testing::HasSubstr;

// Certificates cost time: one for all.
struct Certified {
  test::TemporaryFolder folder;
  config::CertificateFiles files = test::make_certificate(folder.path(), "server");
};
const Certified& certified() {
  static const Certified made;
  return made;
}

struct Wish {
  ServerTlsMode mode = ServerTlsMode::verify_full;
  bool is_direct = false;
  std::string host = "localhost";
};

// Of its addresses the first.
SharedEndpoints one_of(const ServerTarget& target) {
  return std::make_shared<const std::vector<Endpoint>>(1,
                                                       target.addresses->read().endpoints->front());
}

SharedTarget target_for(const Wish& wish) {
  config::Server server;
  server.host = wish.host;
  server.connect_timeout_ms = 5000;
  server.tls.mode = wish.mode;
  server.tls.is_direct = wish.is_direct;
  server.tls.root_certificate.path = certified().files.certificate;
  auto target = server_target(server, {}, *tls::ClientContext::load(server.tls, "postgresql"));
  return std::make_shared<const ServerTarget>(std::move(target));
}

// Somebody who wants a connection, and the server that he gets to.
class Reached : private ServerHandler, private StreamHandler {
 public:
  explicit Reached(const Wish& wish = {}, const test::TlsPeerOptions& options = {})
      : peer(options.is_server
                 ? options
                 : test::TlsPeerOptions{
                       .protocols = {"postgresql"}, .own = certified().files, .is_server = true}) {
    const auto target = target_for(wish);
    ServerHandler& handler = *this;
    connector.emplace(engine, work_, target, one_of(*target), handler);
    engine.connect_dialled();
    engine.settle();
  }

  SimulatedStream& server() { return *engine.streams.at(0); }
  void says(std::string_view bytes) {
    server().says(bytes);
    engine.settle();
  }
  // Both sides, until they are silent.
  void exchange() {
    while (true) {
      const std::string in = server().got().substr(heard_);
      heard_ += in.size();
      peer.hear(in);
      const std::string out = peer.take();
      if (in.empty() && out.empty()) return;
      says(out);
    }
  }
  void answer_yes() {
    heard_ = server().got().size();
    says("S");
  }
  void send(std::string_view bytes) { stream->send({&bytes, 1}); }
  void end() {
    stream.reset();
    connector.reset();
    engine.settle();
    EXPECT_EQ(engine.timers(), 0U);
    EXPECT_TRUE(server().is_closed());
  }

  test::FakeClock clock;
  SimulatedEngine engine{clock};
  test::TlsPeer peer;
  std::string refusal;
  bool had_fault = false;
  std::string binding;
  std::string heard;
  int ends = 0;
  std::optional<ServerConnector> connector;
  StreamPtr stream;

 private:
  void on_server_reached(StreamPtr reached, SharedEndpoint, const tls::Facts* facts) override {
    stream = std::move(reached);
    stream->report_to(*this);
    if (facts != nullptr) binding = facts->channel_binding;
  }
  void on_server_refused(const std::string& reason) override { refusal = reason; }
  void on_connect_fault(const std::exception_ptr&) override { had_fault = true; }
  void on_received(std::string_view bytes) override { heard += bytes; }
  void on_eof() override { ++ends; }
  void on_lost(int) override { ++ends; }
  void on_drained() override {}

  tls::Work work_;
  std::size_t heard_ = 0;
};

std::string ssl_request() { return int32(8) + int32(80877103); }

TEST(ServerConnector, agrees_on_tls_however_what_comes_is_cut) {
  for (const std::size_t cut : {std::size_t{1}, std::size_t{7}, std::size_t{65536}}) {
    SCOPED_TRACE(cut);
    Reached reached;
    reached.engine.cut = cut;
    EXPECT_EQ(reached.server().got(), ssl_request());
    EXPECT_EQ(reached.stream, nullptr);
    reached.answer_yes();
    reached.exchange();
    ASSERT_NE(reached.stream, nullptr);
    EXPECT_EQ(reached.binding.size(), 32U);
    reached.send("hello");
    reached.exchange();
    EXPECT_EQ(reached.peer.heard(), "hello");
    reached.peer.say("greetings");
    reached.exchange();
    EXPECT_EQ(reached.heard, "greetings");
    reached.end();
  }
}

TEST(ServerConnector, begins_with_the_handshake_where_that_is_agreed) {
  Reached reached({.is_direct = true});
  EXPECT_EQ(reached.server().got().at(0), '\x16');
  reached.exchange();
  ASSERT_NE(reached.stream, nullptr);
  EXPECT_EQ(reached.peer.protocol(), "postgresql");
  reached.end();

  Reached nameless({.is_direct = true}, {.own = certified().files, .is_server = true});
  nameless.exchange();
  EXPECT_THAT(nameless.refusal, HasSubstr("direct TLS without the protocol's name"));
  nameless.end();
}

TEST(ServerConnector, no_is_taken_where_it_may_be_in_clear) {
  Reached prefers({.mode = ServerTlsMode::prefer});
  prefers.says("N");
  ASSERT_NE(prefers.stream, nullptr);
  EXPECT_EQ(prefers.binding, "");
  prefers.send("in clear");
  EXPECT_EQ(prefers.server().got(), ssl_request() + "in clear");
  prefers.end();
  for (const auto mode :
       {ServerTlsMode::require, ServerTlsMode::verify_ca, ServerTlsMode::verify_full}) {
    Reached requires_it({.mode = mode});
    requires_it.says("N");
    EXPECT_EQ(requires_it.refusal, "the server has no TLS, which [server] sslmode asks for");
    requires_it.end();
  }
}

TEST(ServerConnector, more_than_the_answer_is_not_believed) {
  for (const std::string answer :
       {"SR", "NE", "Sextra", "E\0\0\0\x20", "X", "EFATAL: told in clear"}) {
    SCOPED_TRACE(answer);
    for (const auto mode : {ServerTlsMode::prefer, ServerTlsMode::require}) {
      Reached reached({.mode = mode});
      reached.says(answer);
      EXPECT_EQ(reached.stream, nullptr);
      EXPECT_THAT(reached.refusal, HasSubstr("when it was asked for TLS")) << reached.refusal;
      EXPECT_THAT(reached.refusal, Not(HasSubstr("told in clear")));
      reached.end();
    }
  }
}

TEST(ServerConnector, bytes_in_clear_behind_the_yes_are_no_handshake) {
  Reached reached;
  reached.answer_yes();
  reached.says(message('R', int32(0)));
  EXPECT_THAT(reached.refusal, HasSubstr("TLS with the server failed: "));
  reached.end();
}

TEST(ServerConnector, server_with_the_wrong_name_is_refused) {
  Reached reached({.host = "127.0.0.1"});
  reached.answer_yes();
  reached.exchange();
  EXPECT_EQ(reached.stream, nullptr);
  EXPECT_THAT(reached.refusal, HasSubstr("IP address mismatch"));
  EXPECT_EQ(reached.peer.error(), "sslv3 alert bad certificate");
  reached.end();
}

TEST(ServerConnector, end_anywhere_on_the_way_is_a_refusal) {
  for (const bool is_break : {true, false}) {
    for (const std::size_t at :
         {std::size_t{0}, std::size_t{1}, std::size_t{6}, std::size_t{100}}) {
      SCOPED_TRACE(testing::Message() << at << (is_break ? ", broken" : ", ended"));
      Reached reached;
      if (at > 0) {
        reached.answer_yes();
        reached.peer.hear(reached.server().got().substr(ssl_request().size()));
        reached.says(reached.peer.take().substr(0, at - 1));
      }
      is_break ? reached.server().breaks() : reached.server().ends();
      reached.engine.settle();
      EXPECT_NE(reached.refusal, "");
      reached.end();
    }
  }
}

TEST(ServerConnector, silence_has_a_limit) {
  for (const bool has_answered : {true, false}) {
    Reached reached;
    if (has_answered) reached.answer_yes();
    reached.engine.pass_ms(5001);
    EXPECT_EQ(reached.refusal, "timed out on the way to TLS");
    reached.end();
  }
}

TEST(ServerConnector, limit_is_over_with_the_handshake) {
  Reached reached;
  reached.answer_yes();
  reached.exchange();
  EXPECT_EQ(reached.engine.timers(), 0U);
  reached.end();
}

TEST(ServerConnector, want_of_memory_hurts_this_one_alone) {
  Reached reached;
  reached.server().starves();
  reached.answer_yes();
  EXPECT_TRUE(reached.had_fault || !reached.refusal.empty());
  EXPECT_EQ(reached.stream, nullptr);
  reached.end();
}

TEST(ServerConnector, may_be_closed_at_any_time) {
  for (int stage = 0; stage < 3; ++stage) {
    Reached reached;
    if (stage > 0) reached.answer_yes();
    if (stage > 1) reached.exchange();
    reached.stream.reset();
    reached.connector->close();
    reached.says("more");
    EXPECT_EQ(reached.refusal, "");
    reached.end();
  }
}

TEST(ServerConnector, bad_record_behind_the_handshake_ends_the_stream) {
  Reached reached;
  reached.answer_yes();
  reached.exchange();
  reached.says(std::string("\x17\x03\x03\0\x05hello", 10));
  EXPECT_EQ(reached.ends, 1);
  EXPECT_EQ(reached.refusal, "");
  reached.end();
}

}  // namespace
}  // namespace helios::net
