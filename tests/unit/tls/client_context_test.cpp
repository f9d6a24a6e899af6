// SPDX-License-Identifier: Apache-2.0
//
// TLS towards a server: who is believed, by which name, and what the server is shown.

#include "tls/client_context.hpp"

#include "support/temporary_folder.hpp"
#include "support/tls_peer.hpp"
#include "tls/channel.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <fstream>
#include <optional>

namespace helios::tls {
namespace {

using config::ServerTlsMode;
using Step = Channel::Step;

constexpr auto kRequire = ServerTlsMode::require;
constexpr auto kVerifyCa = ServerTlsMode::verify_ca;
constexpr auto kVerifyFull = ServerTlsMode::verify_full;

class ToServer : public testing::Test {
 protected:
  ToServer() { settings_.mode = kRequire; }

  config::CertificateFiles certificate(const std::string& name,
                                       const test::CertificateWish& wish = {}) {
    return test::make_certificate(folder_.path(), name, wish);
  }

  // What became of a connection to a server that shows `shown`: "", or why there is none.
  std::string connect(const config::CertificateFiles& shown, const std::string& host = "localhost",
                      std::vector<std::string> protocols = {"postgresql"}) {
    const auto context = ClientContext::load(settings_, "postgresql");
    if (!context) return context.error().message;
    Work work{};
    Channel channel((*context)->open(host), work);
    peer_.emplace(
        test::TlsPeerOptions{.protocols = std::move(protocols), .own = shown, .is_server = true});
    std::string incoming;
    Step last = Step::more;
    do {
      std::string_view rest(incoming);
      while ((last = channel.step(rest)) == Step::established) facts_ = channel.facts();
      peer_->hear(std::exchange(work.ciphertext, {}));
      incoming = peer_->take();
    } while (!incoming.empty());
    return last == Step::failed ? channel.error() : peer_->error();
  }

  test::TemporaryFolder folder_;
  config::ServerTls settings_;
  std::optional<test::TlsPeer> peer_;
  Facts facts_;
};

TEST_F(ToServer, without_a_root_certificate_everybody_is_taken_and_nobody_is_known) {
  EXPECT_EQ(connect(certificate("any", {.names = {"elsewhere.example"}})), "");
  EXPECT_EQ(facts_.version, "TLSv1.3");
  EXPECT_TRUE(facts_.has_protocol);
  EXPECT_EQ(facts_.channel_binding.size(), 32U);
  EXPECT_EQ(peer_->server_name(), "localhost");
  EXPECT_EQ(peer_->protocol(), "postgresql");
}

TEST_F(ToServer, of_several_common_names_the_first_counts_as_in_libpq) {
  settings_.mode = kVerifyFull;
  const auto told = [this](std::vector<std::string> names) {
    const auto shown = certificate("several", {.common_names = std::move(names)});
    settings_.root_certificate.path = shown.certificate;
    return connect(shown);
  };
  EXPECT_EQ(told({"localhost"}), "");
  EXPECT_EQ(told({"localhost", "other"}), "");
  EXPECT_THAT(told({"other", "localhost"}), testing::HasSubstr("hostname mismatch"));
  EXPECT_THAT(told({"other"}), testing::HasSubstr("hostname mismatch"));
}

TEST_F(ToServer, authority_counts_from_verify_ca_on_and_where_one_is_named) {
  const auto right = certificate("right", {.names = {"db.example"}});
  const auto other = certificate("other");
  settings_.root_certificate.path = right.certificate;
  for (const auto mode : {ServerTlsMode::prefer, kRequire, kVerifyCa}) {
    settings_.mode = mode;
    EXPECT_EQ(connect(right), "");
    EXPECT_THAT(connect(other), testing::HasSubstr("certificate verify failed"));
    EXPECT_THAT(connect(other), testing::HasSubstr("self-signed certificate"));
    EXPECT_EQ(peer_->error(), "tlsv1 alert unknown ca");
  }
}

TEST_F(ToServer, name_counts_for_verify_full_alone) {
  const auto shown =
      certificate("named", {.names = {"db.example", "*.pool.example", "f*.example", "127.0.0.2"}});
  settings_.root_certificate.path = shown.certificate;
  settings_.mode = kVerifyFull;
  for (const std::string host : {"db.example", "DB.Example", "one.pool.example", "127.0.0.2"})
    EXPECT_EQ(connect(shown, host), "") << host;
  for (const std::string host : {"other.example", "two.one.pool.example", "pool.example",
                                 "127.0.0.1", "::1", "foo.example", "localhost"})
    EXPECT_THAT(connect(shown, host), testing::HasSubstr("mismatch")) << host;
  EXPECT_THAT(connect(shown, "other.example"), testing::HasSubstr("hostname mismatch"));
  settings_.mode = kVerifyCa;
  EXPECT_EQ(connect(shown, "other.example"), "");
}

TEST_F(ToServer, address_is_no_name_to_ask_for) {
  EXPECT_EQ(connect(certificate("any"), "127.0.0.1"), "");
  EXPECT_EQ(peer_->server_name(), "");
}

TEST_F(ToServer, certificate_out_of_its_time_is_refused) {
  const auto expired = certificate("expired", {.valid_to_s = -60});
  const auto early = certificate("early", {.valid_from_s = 3600});
  settings_.mode = kVerifyCa;
  settings_.root_certificate.path = expired.certificate;
  EXPECT_THAT(connect(expired), testing::HasSubstr("certificate has expired"));
  settings_.root_certificate.path = early.certificate;
  EXPECT_THAT(connect(early), testing::HasSubstr("certificate is not yet valid"));
}

TEST_F(ToServer, shows_its_own_certificate_where_the_server_asks) {
  settings_.own = certificate("proxy", {.names = {"heliosproxy"}});
  EXPECT_EQ(connect(certificate("server")), "");
  EXPECT_EQ(peer_->certificate_name(), "heliosproxy");
  settings_.own = {};
  EXPECT_EQ(connect(certificate("server")), "");
  EXPECT_EQ(peer_->certificate_name(), "");
}

TEST_F(ToServer, flood_of_wishes_to_begin_anew_ends_the_connection) {
  const auto context = ClientContext::load(settings_, "postgresql");
  Work work{};
  Channel channel((*context)->open("localhost"), work);
  test::TlsPeer server(
      {.max_version = TLS1_2_VERSION, .own = certificate("any"), .is_server = true});
  std::string incoming;
  const auto bring = [&] {
    Step last = Step::more;
    std::string_view rest(incoming);
    while ((last = channel.step(rest)) == Step::established || last == Step::data) {
    }
    incoming.clear();
    return last;
  };
  do {
    bring();
    server.hear(std::exchange(work.ciphertext, {}));
    incoming = server.take();
  } while (!incoming.empty());
  for (int i = 0; i < 100; ++i) {  // one now and then
    server.renegotiate();
    server.say("x");
    incoming = server.take();
    EXPECT_EQ(bring(), Step::more);
  }
  work.ciphertext.clear();
  for (int i = 0; i < 1000; ++i) server.renegotiate();
  incoming = server.take();
  const std::size_t flood = incoming.size();
  EXPECT_EQ(bring(), Step::failed);
  EXPECT_EQ(channel.error(), "too many messages of TLS itself without a word");
  EXPECT_LT(work.ciphertext.size(), flood / 10) << "it is not answered to its end";
}

TEST_F(ToServer, protocol_that_the_server_does_not_know_is_not_there) {
  EXPECT_EQ(connect(certificate("old"), "localhost", {}), "");
  EXPECT_FALSE(facts_.has_protocol);
}

TEST_F(ToServer, files_that_are_none_are_errors_that_name_them) {
  settings_.root_certificate.path = folder_.path() + "/missing.crt";
  settings_.root_certificate.origin = "a.toml:3: server.root_certificate";
  EXPECT_THAT(connect({}), testing::StartsWith("a.toml:3: server.root_certificate: " +
                                               settings_.root_certificate.path + ": "));
  settings_.root_certificate.path = folder_.path() + "/no.crt";
  std::ofstream(settings_.root_certificate.path) << "no certificate\n";
  EXPECT_THAT(connect({}), testing::HasSubstr("no.crt: is no list of PEM certificates"));
  settings_.root_certificate = {};
  settings_.own = certificate("one");
  settings_.own.key = certificate("two").key;
  EXPECT_THAT(connect({}), testing::HasSubstr("two.key"));
}

}  // namespace
}  // namespace helios::tls
