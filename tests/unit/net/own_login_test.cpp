// SPDX-License-Identifier: Apache-2.0
//
// A login of the proxy's own, on both legs at once: the client is asked by the proxy, the proxy by the server, however the
// bytes are cut, whoever leaves when.

#include "auth/challenge.hpp"
#include "auth/md5.hpp"
#include "auth/responder.hpp"
#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "support/temporary_folder.hpp"
#include "unit/net/driven.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace helios::net {
namespace {

using testing::HasSubstr;
using Method = auth::Challenge::Method;

const std::string kPassword = "correct horse";

const auth::ScramVerifier& verifier() {
  static const auth::ScramVerifier made = auth::make_verifier(kPassword, "salt of postgres", 4096);
  return made;
}

auth::SharedLoginRules rules(const std::string& method, const std::string& secret) {
  const test::TemporaryFolder folder;
  config::Auth settings;
  settings.hba_file = folder.path() + "/hba";
  settings.user_file = folder.path() + "/users";
  std::ofstream(settings.hba_file) << "host all all all " << method << "\n";
  std::ofstream(settings.user_file) << "\"postgres\" \"" << secret << "\"\n";
  std::filesystem::permissions(settings.user_file, std::filesystem::perms::owner_read);
  return *auth::LoginRules::load(settings, "secret of the proxy");
}

// One side of a conversation, as messages.
class Messages {
 public:
  // The next whole one behind what was taken: its type and body. Type 0: none has come.
  std::pair<char, std::string> next(const std::string& all) {
    const std::string_view rest = std::string_view(all).substr(taken_);
    if (rest.size() < 5) return {};
    const auto length = static_cast<std::size_t>(base::load_i32(rest.data() + 1));
    if (rest.size() < 1 + length) return {};
    taken_ += 1 + length;
    return {rest[0], std::string(rest.substr(5, length - 4))};
  }
  void skip(std::size_t bytes) { taken_ += bytes; }

 private:
  std::size_t taken_ = 0;
};

class OwnLogin : public Driven {
 public:
  OwnLogin(const std::string& method, const std::string& secret) {
    set_login_rules(rules(method, secret));
    from_server_.skip(startup_packet().size());
  }

  // The client proves that he has this password, as far as he is asked. Returns how far he has come.
  auth::Responder::Step::Kind prove(const std::string& password) {
    auto kind = auth::Responder::Step::Kind::failed;
    auth::Responder responder(auth::SecretText(password), "postgres");
    client().says(startup_packet());
    while (true) {
      engine.settle();
      const auto [type, body] = from_proxy_.next(client().got());
      if (type != 'R') return kind;
      const auto step = responder.resume(body);
      kind = step.kind;
      if (step.kind == auth::Responder::Step::Kind::send) client().says(step.text);
    }
  }
  // The server asks the proxy. Returns whether it lets it in.
  bool let_in(Method method, auth::StoredSecret secret) {
    engine.connect_dialled();
    engine.settle();
    auth::Challenge challenge({.method = method, .user = "postgres", .secret = std::move(secret)});
    auth::Challenge::Step step = challenge.begin();
    while (step.kind == auth::Challenge::Step::Kind::ask) {
      server().says(step.text);
      engine.settle();
      const auto [type, body] = from_server_.next(server().got());
      if (type != 'p') return false;
      step = challenge.resume(body);
    }
    if (step.kind != auth::Challenge::Step::Kind::right) return false;
    server().says(step.text + kGreeting);
    engine.settle();
    return true;
  }
  // What the client has got since it was last asked for.
  std::string told() {
    std::string kinds;
    while (true) {
      const auto [type, body] = from_proxy_.next(client().got());
      if (type == 0) return kinds;
      kinds += type;
    }
  }

 private:
  Messages from_proxy_;
  Messages from_server_;
};

TEST(OwnLogin, is_made_on_both_legs_however_it_is_cut) {
  const std::string hash = auth::md5_hash(kPassword, "postgres");
  for (const std::size_t cut : {1U, 2U, 3U, 7U, 64U, 65536U}) {
    SCOPED_TRACE(cut);
    OwnLogin by_keys("scram-sha-256", auth::to_text(verifier()));
    by_keys.engine.cut = cut;
    EXPECT_EQ(by_keys.prove(kPassword), auth::Responder::Step::Kind::wait)
        << "the proxy has proved that it knows the password";
    EXPECT_TRUE(by_keys.let_in(Method::scram, verifier()));
    EXPECT_EQ(by_keys.told(), "RKZ");
    by_keys.say({true, query("SELECT 1")});
    EXPECT_TRUE(by_keys.server().got().ends_with(query("SELECT 1")));

    OwnLogin by_hash("md5", hash);
    by_hash.engine.cut = cut;
    static_cast<void>(by_hash.prove(kPassword));
    EXPECT_TRUE(by_hash.let_in(Method::md5, auth::Md5Hash{auth::SecretText(hash)}));
    EXPECT_EQ(by_hash.told(), "RKZ");
  }
}

TEST(OwnLogin, server_is_not_dialled_before_the_client_has_proved_himself) {
  for (const std::string& password : {std::string("wrong"), kPassword}) {
    OwnLogin login("scram-sha-256", auth::to_text(verifier()));
    static_cast<void>(login.prove(password));
    EXPECT_EQ(login.engine.is_dialling(), password == kPassword);
  }
}

TEST(OwnLogin, what_the_server_refuses_the_client_is_told) {
  OwnLogin login("scram-sha-256", auth::to_text(verifier()));
  static_cast<void>(login.prove(kPassword));
  login.engine.connect_dialled();
  login.engine.settle();
  login.server().says(
      message('E', std::string_view("SFATAL\0C28000\0Mno pg_hba.conf entry\0\0", 38)));
  login.server().ends();
  EXPECT_EQ(login.complaint(), "");
  EXPECT_THAT(login.client().got(), HasSubstr("no pg_hba.conf entry"));
}

TEST(OwnLogin, fake_server_gets_no_further_than_a_proof_that_fits_nothing_else) {
  OwnLogin login("scram-sha-256", auth::to_text(verifier()));
  static_cast<void>(login.prove(kPassword));
  EXPECT_FALSE(login.let_in(Method::password, {}));
  EXPECT_THAT(login.client().got(),
              HasSubstr("could not log in to the server: the server asks for a password, and the "
                        "proxy has only SCRAM keys of user \"postgres\""));
  EXPECT_EQ(login.server().got().find(kPassword), std::string::npos);
  login.server().ends();
  EXPECT_EQ(login.complaint(), "");
}

TEST(OwnLogin, whoever_leaves_whenever_nothing_is_left_behind) {
  for (const bool is_break : {true, false}) {
    for (int at = 0; at < 4; ++at) {
      SCOPED_TRACE(testing::Message() << "step " << at << ", break " << is_break);
      OwnLogin login("md5", auth::md5_hash(kPassword, "postgres"));
      SimulatedStream* who = &login.client();
      if (at == 0) login.client().says(startup_packet());
      if (at == 1) login.client().says(startup_packet() + "p\0\0");
      if (at >= 2) static_cast<void>(login.prove(kPassword));
      if (at == 3) {
        login.engine.connect_dialled();
        login.engine.settle();
        who = &login.server();
      }
      login.engine.settle();
      is_break ? who->breaks() : who->ends();
      login.engine.settle();
      login.engine.pass_ms(6000);  // nobody listens to a client while the server is dialled
      EXPECT_EQ(login.complaint(), "");
    }
  }
}

TEST(OwnLogin, client_that_does_not_answer_is_late) {
  OwnLogin login("scram-sha-256", auth::to_text(verifier()));
  login.client().says(startup_packet());
  login.engine.settle();
  EXPECT_EQ(login.told(), "R");
  login.engine.pass_ms(6000);
  EXPECT_THAT(login.client().got(), HasSubstr("FATAL"));
  EXPECT_EQ(login.complaint(), "");
}

}  // namespace
}  // namespace helios::net
