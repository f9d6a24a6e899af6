// SPDX-License-Identifier: Apache-2.0
//
// A client that asks for TLS, from its first byte to its last, with real cryptography on the simulated engine: however
// what it sends is cut, whatever of it is wrong, whoever goes first.

#include "support/temporary_folder.hpp"
#include "support/tls_peer.hpp"
#include "unit/net/driven.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helios::net {
namespace {

using testing::HasSubstr;

std::string ssl_request() { return int32(8) + int32(80877103); }

// Certificates cost time: one for all.
const tls::SharedServerContext& server_context() {
  static const tls::SharedServerContext made = [] {
    const test::TemporaryFolder folder;
    config::Tls settings;
    settings.certificates = {test::make_certificate(folder.path(), "server")};
    return *tls::ServerContext::load(settings, "postgresql");
  }();
  return made;
}

// A client with a peer that speaks TLS, or not yet.
class TlsDriven : public Driven {
 public:
  explicit TlsDriven(config::TlsMode mode = config::TlsMode::prefer,
                     const test::TlsPeerOptions& options = {})
      : peer(options) {
    change_config([mode](config::Config& config) { config.tls.mode = mode; });
    context.client_tls = server_context();
  }

  // Sends what the peer has to say, and brings it what the proxy answers, until both are silent.
  void exchange() {
    while (true) {
      const std::string out = peer.take();
      client().says(out);
      engine.settle();
      const std::string in = client().got().substr(heard_);
      if (out.empty() && in.empty()) return;
      heard_ += in.size();
      peer.hear(in);
    }
  }
  void ask() {
    client().says(ssl_request());
    engine.settle();
    ASSERT_EQ(client().got(), "S");
    heard_ = 1;
  }
  void shake_hands() {
    peer.hear({});
    exchange();
    ASSERT_TRUE(peer.is_established()) << peer.error();
  }
  void client_says(std::string_view bytes) {
    peer.say(bytes);
    exchange();
  }
  // All the way to the server.
  void begin() {
    ask();
    shake_hands();
    dial();
  }
  void dial() {
    client_says(startup_packet());
    engine.connect_dialled();
    engine.settle();
  }
  void say(const Part& part) {
    if (part.is_client) return client_says(part.bytes);
    server().says(part.bytes);
    exchange();
  }

  test::TlsPeer peer;

 private:
  std::size_t heard_ = 0;
};

TEST(TlsStream, whole_session_passes_however_it_is_cut) {
  for (const std::size_t cut : {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{64},
                                std::size_t{1000}, std::size_t{65536}}) {
    SCOPED_TRACE(cut);
    TlsDriven driven;
    driven.engine.cut = cut;
    driven.begin();
    for (const Part& part : kConversation) driven.say(part);
    driven.exchange();
    EXPECT_EQ(driven.peer.heard(), said_by(false));
    EXPECT_EQ(driven.server().got(), said_by(true));
    EXPECT_EQ(driven.complaint(), "");
    driven.exchange();
  }
}

TEST(TlsStream, session_without_a_request_needs_the_protocols_name) {
  TlsDriven named(config::TlsMode::prefer, {.protocols = {"postgresql"}});
  named.engine.cut = 3;
  named.shake_hands();
  named.dial();
  for (const Part& part : kConversation) named.say(part);
  EXPECT_EQ(named.peer.heard(), said_by(false));
  EXPECT_EQ(named.complaint(), "");

  TlsDriven nameless;
  nameless.peer.hear({});
  nameless.exchange();
  EXPECT_THAT(nameless.logged(), HasSubstr("failed: direct TLS without the protocol's name"));
  EXPECT_EQ(nameless.complaint(), "");
}

TEST(TlsStream, who_has_asked_and_sends_more_at_once_gets_no_yes) {
  TlsDriven driven;
  driven.client().says(ssl_request() + startup_packet());
  driven.engine.settle();
  EXPECT_THAT(driven.client().got(), HasSubstr("received unencrypted data after SSL request"));
  EXPECT_EQ(driven.client().got().find('S'), driven.client().got().find("SFATAL"));
  EXPECT_FALSE(driven.has_server());
  EXPECT_EQ(driven.complaint(), "");
}

TEST(TlsStream, startup_packet_in_clear_behind_the_yes_is_no_handshake) {
  TlsDriven driven;
  driven.ask();
  driven.client().says(startup_packet());
  driven.engine.settle();
  EXPECT_FALSE(driven.has_server());
  EXPECT_THAT(driven.logged(), HasSubstr("TLS with a client at 10.1.2.3 failed: "));
  EXPECT_EQ(driven.complaint(), "");
}

TEST(TlsStream, second_request_inside_is_refused) {
  TlsDriven driven;
  driven.ask();
  driven.shake_hands();
  driven.client_says(ssl_request());
  EXPECT_THAT(driven.peer.heard(), HasSubstr("unsupported frontend protocol 1234.5679"));
  EXPECT_EQ(driven.complaint(), "");
}

TEST(TlsStream, without_it_nobody_gets_in_where_it_is_required) {
  TlsDriven plain(config::TlsMode::require);
  plain.client().says(startup_packet());
  plain.engine.settle();
  EXPECT_THAT(plain.client().got(), HasSubstr("connections without TLS are not accepted"));
  EXPECT_FALSE(plain.has_server());
  EXPECT_EQ(plain.complaint(), "");

  TlsDriven encrypted(config::TlsMode::require);
  encrypted.begin();
  EXPECT_TRUE(encrypted.has_server());
}

TEST(TlsStream, end_without_the_word_for_it_is_a_lost_connection) {
  for (const bool has_word : {true, false}) {
    SCOPED_TRACE(has_word);
    TlsDriven driven;
    driven.begin();
    driven.say({false, kGreeting});
    driven.client_says(query("SELECT 1"));
    if (has_word) driven.peer.close();
    driven.exchange();
    driven.client().ends();
    driven.engine.settle();
    // What was asked for is still answered, where it was an orderly end.
    EXPECT_EQ(driven.server().is_closed(), !has_word);
    if (has_word) {
      driven.say({false, message('C', std::string_view("SELECT 1\0", 9)) + message('Z', "I")});
      driven.server().ends();
    }
    EXPECT_EQ(driven.complaint(), "");
  }
}

TEST(TlsStream, handshake_that_is_cut_anywhere_leaves_nothing_behind) {
  TlsDriven whole;
  whole.peer.hear({});
  const std::string hello = whole.peer.take();
  for (std::size_t at = 0; at < hello.size(); at += 7) {
    for (const bool is_break : {true, false}) {
      SCOPED_TRACE(testing::Message() << at << (is_break ? ", broken" : ", ended"));
      TlsDriven driven;
      driven.ask();
      driven.peer.hear({});
      driven.client().says(driven.peer.take().substr(0, at));
      driven.engine.settle();
      is_break ? driven.client().breaks() : driven.client().ends();
      EXPECT_EQ(driven.complaint(), "");
      EXPECT_THAT(driven.logged(), HasSubstr("the connection ended in the handshake"));
    }
  }
}

TEST(TlsStream, handshake_that_stalls_ends_with_the_time_to_log_in) {
  TlsDriven driven;
  driven.ask();
  driven.engine.pass_ms(6000);
  EXPECT_EQ(driven.client().got(), "S") << "nothing in clear";
  EXPECT_EQ(driven.complaint(), "");
}

TEST(TlsStream, record_that_was_changed_on_its_way_ends_the_session) {
  TlsDriven driven;
  driven.begin();
  driven.say({false, kGreeting});
  driven.peer.say(query("SELECT 1"));
  std::string record = driven.peer.take();
  record.back() = static_cast<char>(record.back() ^ 1);
  driven.client().says(record);
  driven.engine.settle();
  EXPECT_EQ(driven.server().got().find("SELECT"), std::string::npos) << "it has reached the server";
  EXPECT_EQ(driven.complaint(), "");
}

TEST(TlsStream, client_that_reads_slowly_holds_the_server_back) {
  TlsDriven driven;
  driven.begin();
  driven.say({false, kGreeting});
  driven.client_says(query("SELECT 1"));
  driven.client().reads(0);
  std::string rows;
  for (int i = 0; i < 40; ++i) rows += message('D', std::string(50'000, 'x'));
  driven.server().says(rows);
  driven.engine.settle();
  EXPECT_GT(driven.client().pending_bytes(), kHighWaterBytes);
  EXPECT_LT(driven.client().pending_bytes(), rows.size() / 2);
  driven.client().reads(std::string::npos);
  driven.exchange();
  EXPECT_TRUE(driven.peer.heard().ends_with(rows));
}

TEST(TlsStream, server_that_reads_slowly_holds_the_client_back_and_nothing_is_lost) {
  TlsDriven driven;
  driven.begin();
  driven.say({false, kGreeting});
  driven.say({true, query("COPY t FROM STDIN")});
  driven.say({false, message('G', std::string_view("\0\0\0", 3))});
  const std::size_t before = driven.server().got().size();
  driven.server().reads(0);
  std::string data;
  for (int i = 0; i < 40; ++i) data += message('d', std::string(50'000, 'y'));
  driven.client_says(data);
  EXPECT_LT(driven.server().pending_bytes(), data.size() / 2);
  driven.server().reads(std::string::npos);
  driven.exchange();
  EXPECT_TRUE(driven.server().got().substr(before) == data);
}

TEST(TlsStream, whoever_goes_and_whenever_nothing_is_left_behind) {
  for (const bool is_client : {true, false}) {
    for (const bool is_break : {true, false}) {
      for (std::size_t at = 0; at < kConversation.size(); ++at) {
        SCOPED_TRACE(testing::Message()
                     << "client " << is_client << ", break " << is_break << ", behind part " << at);
        TlsDriven driven;
        driven.begin();
        for (std::size_t part = 0; part <= at; ++part) {
          if (!driven.server().is_closed()) driven.say(kConversation[part]);
        }
        SimulatedStream& who = is_client ? driven.client() : driven.server();
        is_break ? who.breaks() : who.ends();
        EXPECT_EQ(driven.complaint(), "");
      }
    }
  }
}

TEST(TlsStream, want_of_memory_ends_the_one_session) {
  TlsDriven driven;
  driven.begin();
  driven.client().starves();
  driven.server().says(kGreeting);
  driven.engine.settle();
  EXPECT_EQ(driven.context.tls_work.ciphertext, "") << "the next one's would begin with it";
  EXPECT_EQ(driven.complaint(), "");
}

TEST(TlsStream, want_of_memory_in_the_handshake_ends_the_one_session) {
  TlsDriven driven;
  driven.ask();
  driven.client().starves();
  driven.peer.hear({});
  driven.client().says(driven.peer.take());
  driven.engine.settle();
  EXPECT_EQ(driven.context.tls_work.ciphertext, "");
  EXPECT_EQ(driven.complaint(), "");
}

TEST(TlsStream, cancel_request_may_come_through_it) {
  TlsDriven driven;
  driven.ask();
  driven.shake_hands();
  driven.client_says(int32(16) + int32(80877102) + int32(7) + "key!");
  EXPECT_EQ(driven.complaint(), "");
  driven.exchange();
  EXPECT_TRUE(driven.peer.has_end());
}

}  // namespace
}  // namespace helios::net
