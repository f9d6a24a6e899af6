// SPDX-License-Identifier: Apache-2.0
//
// TLS without sockets: what passes in both directions, however it is cut; who is turned away; what ends it. The other end
// is OpenSSL by another way.

#include "tls/channel.hpp"

#include "support/temporary_folder.hpp"
#include "support/tls_peer.hpp"
#include "tls/server_context.hpp"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <optional>

namespace helios::tls {
namespace {

using Step = Channel::Step;

class Connection : public testing::Test {
 protected:
  Connection() {
    settings_.certificates = {test::make_certificate(folder_.path(), "first"),
                              test::make_certificate(folder_.path(), "second",
                                                     {.names = {"db.example", "*.db.example"}})};
  }

  void connect(const test::TlsPeerOptions& options = {}) {
    const auto context = ServerContext::load(settings_, "postgresql");
    ASSERT_TRUE(context) << context.error().message;
    work_.ciphertext.clear();
    channel_.emplace((*context)->open(), work_);
    peer_.emplace(options);
    peer_->hear({});
    exchange();
  }

  // Until neither has anything to say.
  void exchange() {
    while (true) {
      bring(peer_->take());
      if (work_.ciphertext.empty()) return;
      peer_->hear(std::exchange(work_.ciphertext, {}));
    }
  }
  // To the channel, `cut_` bytes at a time.
  void bring(std::string_view ciphertext) {
    for (; !ciphertext.empty(); ciphertext.remove_prefix(std::min(cut_, ciphertext.size()))) {
      std::string_view piece = ciphertext.substr(0, cut_);
      while (take_step(piece)) {
      }
      EXPECT_TRUE(last_ != Step::more || piece.empty());
    }
  }
  bool take_step(std::string_view& piece) {
    last_ = channel_->step(piece);
    if (last_ == Step::established) ++established_;
    if (last_ == Step::data) heard_ += channel_->plaintext();
    return last_ == Step::established || last_ == Step::data;
  }

  test::TemporaryFolder folder_;
  config::Tls settings_;
  Work work_{};
  std::optional<Channel> channel_;
  std::optional<test::TlsPeer> peer_;
  std::size_t cut_ = std::string::npos;
  Step last_ = Step::more;
  int established_ = 0;
  std::string heard_;
};

TEST_F(Connection, carries_both_directions_however_what_comes_is_cut) {
  for (const std::size_t cut :
       {std::string::npos, std::size_t{1}, std::size_t{2}, std::size_t{5}, std::size_t{1000}}) {
    SCOPED_TRACE(cut);
    cut_ = cut;
    established_ = 0;
    heard_.clear();
    connect();
    EXPECT_EQ(established_, 1);
    EXPECT_TRUE(peer_->is_established());
    peer_->say("hello");
    peer_->say(std::string(10'000, 'x'));
    channel_->write("greetings");
    channel_->write(std::string(100'000, 'y'));
    exchange();
    EXPECT_EQ(heard_, "hello" + std::string(10'000, 'x'));
    EXPECT_EQ(peer_->heard(), "greetings" + std::string(100'000, 'y'));
  }
}

TEST_F(Connection, facts_are_those_of_the_handshake) {
  connect({.protocols = {"postgresql"}});
  EXPECT_EQ(channel_->facts().version, "TLSv1.3");
  EXPECT_EQ(channel_->facts().cipher, "TLS_AES_256_GCM_SHA384");
  EXPECT_TRUE(channel_->facts().has_protocol);
  EXPECT_EQ(peer_->protocol(), "postgresql");

  connect({.max_version = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256"});
  EXPECT_EQ(channel_->facts().version, "TLSv1.2");
  EXPECT_EQ(channel_->facts().cipher, "ECDHE-ECDSA-AES128-GCM-SHA256");
  EXPECT_FALSE(channel_->facts().has_protocol);
}

TEST_F(Connection, name_that_the_client_asks_for_chooses_the_certificate) {
  const std::vector<std::pair<std::string, std::string>> cases{{"", "localhost"},
                                                               {"localhost", "localhost"},
                                                               {"db.example", "db.example"},
                                                               {"one.db.example", "db.example"},
                                                               {"two.one.db.example", "localhost"},
                                                               {"unknown.example", "localhost"}};
  for (const auto& [asked, shown] : cases) {
    connect({.server_name = asked, .protocols = {"postgresql"}});
    EXPECT_TRUE(peer_->is_established()) << asked;
    EXPECT_EQ(peer_->certificate_name(), shown) << asked;
    EXPECT_EQ(peer_->protocol(), "postgresql") << asked;
  }
}

TEST_F(Connection, who_names_only_other_protocols_is_turned_away) {
  for (const std::string name : {"", "db.example"}) {
    connect({.server_name = name, .protocols = {"h2", "http/1.1"}});
    EXPECT_EQ(last_, Step::failed);
    EXPECT_EQ(channel_->error(), "no application protocol");
    EXPECT_EQ(peer_->error(), "tlsv1 alert no application protocol");
  }
  connect({.protocols = {"h2", "postgresql"}});
  EXPECT_TRUE(peer_->is_established());
}

TEST_F(Connection, who_is_too_old_is_turned_away) {
  connect({.max_version = TLS1_1_VERSION});
  EXPECT_EQ(last_, Step::failed);
  EXPECT_EQ(channel_->error(), "unsupported protocol");
  settings_.min_version = config::TlsVersion::tls13;
  connect({.max_version = TLS1_2_VERSION});
  EXPECT_EQ(last_, Step::failed);
  EXPECT_EQ(peer_->error(), "tlsv1 alert protocol version");
  connect();
  EXPECT_TRUE(peer_->is_established());
}

TEST_F(Connection, ciphers_are_those_that_are_configured) {
  settings_.ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384";
  settings_.tls13_ciphers = "TLS_CHACHA20_POLY1305_SHA256";
  connect();
  EXPECT_EQ(channel_->facts().cipher, "TLS_CHACHA20_POLY1305_SHA256");
  connect({.max_version = TLS1_2_VERSION});
  EXPECT_EQ(channel_->facts().cipher, "ECDHE-ECDSA-AES256-GCM-SHA384");
  connect({.max_version = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256"});
  EXPECT_EQ(channel_->error(), "no shared cipher");
}

TEST_F(Connection, client_is_known_by_a_certificate_that_is_believed) {
  const auto own = test::make_certificate(folder_.path(), "ann", {.names = {"ann"}});
  connect({.own = own});
  EXPECT_EQ(channel_->facts().client, std::nullopt) << "nobody has asked";
  settings_.client_ca.path = own.certificate;
  connect({.own = own});
  ASSERT_TRUE(channel_->facts().client);
  EXPECT_EQ(channel_->facts().client->common_name, "ann");
  EXPECT_EQ(channel_->facts().client->distinguished_name, "CN=ann");
  connect();
  EXPECT_TRUE(peer_->is_established());
  EXPECT_EQ(channel_->facts().client, std::nullopt);
  connect({.own = test::make_certificate(folder_.path(), "eve", {.names = {"ann"}})});
  EXPECT_EQ(last_, Step::failed);
  EXPECT_EQ(channel_->error(), "certificate verify failed (self-signed certificate)");
}

TEST_F(Connection, common_name_with_a_nul_is_none) {
  const auto own =
      test::make_certificate(folder_.path(), "nul", {.names = {std::string("ann\0.evil", 9)}});
  settings_.client_ca.path = own.certificate;
  connect({.own = own});
  ASSERT_TRUE(channel_->facts().client);
  EXPECT_EQ(channel_->facts().client->common_name, "");
}

TEST_F(Connection, each_direction_ends_by_itself) {
  connect();
  peer_->say("last words");
  peer_->close();
  exchange();
  EXPECT_EQ(heard_, "last words");
  EXPECT_EQ(last_, Step::end);
  channel_->write("an answer");
  channel_->close();
  channel_->write("nobody hears this");
  exchange();
  EXPECT_EQ(peer_->heard(), "an answer");
  EXPECT_TRUE(peer_->has_end());
}

TEST_F(Connection, new_keys_are_taken_in_the_middle) {
  connect();
  peer_->say("before");
  peer_->change_keys();
  peer_->say(", behind");
  exchange();
  channel_->write("answer");
  exchange();
  EXPECT_EQ(heard_, "before, behind");
  EXPECT_EQ(peer_->heard(), "answer");
}

TEST_F(Connection, flood_of_new_keys_ends_it_and_one_now_and_then_does_not) {
  connect();
  for (int i = 0; i < 100; ++i) {
    peer_->change_keys();
    peer_->say("x");
    exchange();
  }
  EXPECT_EQ(heard_, std::string(100, 'x'));
  for (int i = 0; i < 100; ++i) peer_->change_keys();
  const std::string flood = peer_->take();
  bring(flood);
  EXPECT_EQ(last_, Step::failed);
  EXPECT_EQ(channel_->error(), "too many messages of TLS itself without a word");
  EXPECT_LT(work_.ciphertext.size(), flood.size() / 2) << "it is not answered to its end";
}

TEST_F(Connection, every_byte_of_a_record_counts) {
  connect();
  peer_->say("SELECT 1");
  const std::string record = peer_->take();
  for (std::size_t at = 0; at < record.size(); ++at) {
    SCOPED_TRACE(at);
    connect();
    peer_->say("SELECT 1");
    std::string wrong = peer_->take();
    wrong[at] = static_cast<char>(wrong[at] ^ 0x10);
    bring(wrong);
    EXPECT_NE(last_, Step::data);
    EXPECT_NE(last_, Step::end);
    EXPECT_EQ(heard_, "");
    EXPECT_TRUE(last_ == Step::failed || at == 3 || at == 4) << "a longer one waits for its rest";
    channel_->write("not sent once it has failed");
  }
}

TEST_F(Connection, rubbish_instead_of_a_handshake_fails) {
  const std::vector<std::string> all{std::string("GET / HTTP/1.1\r\n\r\n"), std::string(100, '\0'),
                                     std::string("\x16\x03\x01\x00\x05hello", 10),
                                     std::string(1000, '\xff')};
  for (const std::string& rubbish : all) {
    connect();
    channel_.emplace((*ServerContext::load(settings_, ""))->open(), work_);
    bring(rubbish);
    EXPECT_EQ(last_, Step::failed);
    EXPECT_FALSE(channel_->error().empty());
    EXPECT_FALSE(channel_->is_established());
    channel_->write("in clear?");
    channel_->close();
    EXPECT_EQ(work_.ciphertext.find("in clear?"), std::string::npos);
    work_.ciphertext.clear();
  }
}

TEST_F(Connection, nothing_goes_out_before_the_handshake_is_done) {
  const auto context = ServerContext::load(settings_, "");
  channel_.emplace((*context)->open(), work_);
  channel_->write("in clear?");
  channel_->close();
  EXPECT_EQ(work_.ciphertext, "");
}

}  // namespace
}  // namespace helios::tls
