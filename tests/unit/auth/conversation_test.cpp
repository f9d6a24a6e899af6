// SPDX-License-Identifier: Apache-2.0
//
// Whole logins: a client with a password, the proxy that asks him, and the server that the proxy then logs in to, in every
// method, with every kind of secret. The server is a Challenge as well, and the client a Responder: each side is the other's
// test.

#include "auth/challenge.hpp"
#include "auth/md5.hpp"
#include "auth/responder.hpp"
#include "base/byte_writer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace helios::auth {
namespace {

using testing::HasSubstr;
using Method = Challenge::Method;

const std::string kUser = "ann";
const std::string kPassword = "correct horse";

const ScramVerifier& verifier() {
  static const ScramVerifier made = make_verifier(kPassword, "a salt of its own", 4096);
  return made;
}

StoredSecret stored_password() { return StoredPassword{SecretText(kPassword), verifier()}; }
StoredSecret stored_hash() { return Md5Hash{SecretText(md5_hash(kPassword, kUser))}; }

// Without type and length.
std::string body_of(const std::string& message) { return message.substr(5); }

// Empty: the server has let him in; else why not.
struct End {
  std::string why;
  Credentials credentials;  // what the server has got out of it
};

End login(Challenge::Options server, Credentials credentials) {
  server.user = kUser;
  server.mock_secret = "secret of the server";
  Challenge challenge(std::move(server));
  Responder responder(std::move(credentials), kUser);
  Challenge::Step asked = challenge.begin();
  while (true) {
    if (!asked.text.empty()) {
      const Responder::Step answer = responder.resume(body_of(asked.text));
      if (answer.kind == Responder::Step::Kind::failed) return {answer.text, {}};
      if (asked.kind == Challenge::Step::Kind::ask) {
        EXPECT_EQ(answer.kind, Responder::Step::Kind::send);
        EXPECT_EQ(answer.text[0], 'p');
        asked = challenge.resume(body_of(answer.text));
        continue;
      }
    }
    switch (asked.kind) {
      case Challenge::Step::Kind::wrong: return {"wrong", {}};
      case Challenge::Step::Kind::malformed: return {asked.text, {}};
      default: break;
    }
    const Responder::Step last = responder.resume(
        body_of(pgwire::authentication_message(pgwire::AuthenticationRequest::ok)));
    return {last.kind == Responder::Step::Kind::in ? "" : last.text, challenge.take_credentials()};
  }
}

struct Case {
  std::string name;
  Method method;
  StoredSecret secret;
};

std::vector<Case> every_way() {
  std::vector<Case> all;
  const std::map<std::string, Method> methods{
      {"password", Method::password}, {"md5", Method::md5}, {"scram", Method::scram}};
  for (const auto& [name, method] : methods) {
    all.push_back({name + ", password", method, stored_password()});
    all.push_back({name + ", verifier", method, verifier()});
    // There is no way from an MD5 hash to a verifier.
    if (method != Method::scram) all.push_back({name + ", hash", method, stored_hash()});
  }
  return all;
}

TEST(Login, right_password_gets_in_by_every_method_and_a_wrong_one_by_none) {
  for (const Case& each : every_way()) {
    SCOPED_TRACE(each.name);
    EXPECT_EQ(login({.method = each.method, .secret = each.secret}, SecretText(kPassword)).why, "");
    EXPECT_EQ(
        login({.method = each.method, .secret = each.secret}, SecretText("Correct horse")).why,
        "wrong");
  }
}

TEST(Login, somebody_whom_nobody_knows_is_asked_like_everybody_else) {
  for (const auto method : {Method::password, Method::md5, Method::scram}) {
    EXPECT_EQ(login({.method = method, .secret = {}}, SecretText(kPassword)).why, "wrong");
  }
  EXPECT_EQ(login({.method = Method::scram, .secret = stored_hash()}, SecretText(kPassword)).why,
            "wrong");
}

TEST(Login, what_the_client_has_shown_opens_what_the_page_says) {
  const std::vector<std::tuple<std::string, Method, StoredSecret, std::string>> cases{
      // What the proxy knows of the client, and into which servers that leads: password, md5, scram.
      {"shown", Method::password, verifier(), "yes yes yes"},
      {"password", Method::scram, stored_password(), "yes yes yes"},
      {"password by md5", Method::md5, stored_password(), "yes yes yes"},
      {"hash", Method::md5, stored_hash(), "no yes no"},
      {"keys", Method::scram, verifier(), "no no yes"}};
  for (const auto& [name, method, secret, expected] : cases) {
    SCOPED_TRACE(name);
    std::string found;
    for (const auto& server :
         {Challenge::Options{.method = Method::password, .secret = stored_password()},
          Challenge::Options{.method = Method::md5, .secret = stored_hash()},
          Challenge::Options{.method = Method::scram, .secret = verifier()}}) {
      End proxy = login({.method = method, .secret = secret}, SecretText(kPassword));
      ASSERT_EQ(proxy.why, "");
      const End end = login(server, std::move(proxy.credentials));
      found += (found.empty() ? "" : " ") + std::string(end.why.empty() ? "yes" : "no");
      EXPECT_TRUE(end.why.empty() || end.why.contains("and the proxy has only")) << end.why;
    }
    EXPECT_EQ(found, expected);
  }
}

TEST(Login, keys_do_not_fit_another_verifier_of_the_same_password) {
  End proxy = login({.method = Method::scram, .secret = verifier()}, SecretText(kPassword));
  const End end =
      login({.method = Method::scram, .secret = make_verifier(kPassword, "another", 4096)},
            std::move(proxy.credentials));
  EXPECT_THAT(end.why, HasSubstr("another SCRAM verifier for this user than the proxy"));
}

TEST(Login, nothing_opens_only_what_asks_for_nothing) {
  for (const auto method : {Method::password, Method::md5, Method::scram}) {
    EXPECT_THAT(login({.method = method, .secret = stored_password()}, {}).why,
                HasSubstr("and the proxy has no secret of user \"ann\""));
  }
  Responder nobody({}, kUser);
  EXPECT_EQ(nobody.resume(std::string(4, '\0')).kind, Responder::Step::Kind::in);
}

TEST(Login, server_that_lets_in_before_it_has_proved_itself_is_a_fake) {
  Responder responder(SecretText(kPassword), kUser);
  const std::vector<std::string_view> mechanisms{kScram};
  ASSERT_EQ(responder.resume(body_of(pgwire::sasl_request(mechanisms))).kind,
            Responder::Step::Kind::send);
  EXPECT_EQ(responder.resume(std::string(4, '\0')).text,
            "the server did not prove that it knows the password");
}

TEST(Login, server_asks_once_and_goes_on_with_that_alone) {
  const auto request = [](pgwire::AuthenticationRequest kind, std::string_view data = {}) {
    return body_of(pgwire::authentication_message(kind, data));
  };
  using pgwire::AuthenticationRequest;
  const std::string clear = request(AuthenticationRequest::cleartext_password);
  const std::string md5 = request(AuthenticationRequest::md5_password, "salt");
  const std::string sasl = body_of(pgwire::sasl_request(std::vector<std::string_view>{kScram}));
  const std::string go_on = request(AuthenticationRequest::sasl_continue, "r=x,s=AAAA,i=1");
  const std::string fake =
      request(AuthenticationRequest::sasl_final, "v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
  const std::string ok = request(AuthenticationRequest::ok);
  const std::vector<std::vector<std::string>> all{
      {clear, clear}, {clear, md5},    {md5, md5},   {md5, sasl}, {sasl, clear},
      {sasl, md5},    {sasl, sasl},    {sasl, fake}, {sasl, ok},  {ok, clear},
      {ok, ok},       {clear, ok, ok}, {go_on},      {fake},      {md5, ok, sasl}};
  for (const auto& messages : all) {
    Responder responder(SecretText(kPassword), kUser);
    Responder::Step last;
    for (const auto& each : messages) last = responder.resume(each);
    EXPECT_EQ(last.kind, Responder::Step::Kind::failed);
    EXPECT_EQ(last.text.find(kPassword), std::string::npos);
  }
}

TEST(Login, bodies_that_are_wrong_are_said_to_be) {
  const auto complaint = [](Method method, const std::string& body) {
    Challenge challenge({.method = method,
                         .user = kUser,
                         .secret = method == Method::md5 ? stored_hash() : stored_password(),
                         .mock_secret = "m"});
    static_cast<void>(challenge.begin());
    const Challenge::Step step = challenge.resume(body);
    return step.kind == Challenge::Step::Kind::malformed ? step.text : "not malformed";
  };
  for (const auto method : {Method::password, Method::md5}) {
    EXPECT_EQ(complaint(method, ""), "malformed password packet");
    EXPECT_EQ(complaint(method, "no end"), "malformed password packet");
    EXPECT_EQ(complaint(method, std::string("a\0b\0", 4)), "malformed password packet");
  }
  EXPECT_EQ(complaint(Method::password, std::string(1, '\0')), "empty password returned by client");
  EXPECT_EQ(complaint(Method::password, std::string(1001, 'x') + '\0'), "the password is too long");
  EXPECT_EQ(complaint(Method::scram, "x"), "malformed SASLInitialResponse");
  EXPECT_EQ(complaint(Method::scram, std::string("SCRAM-SHA-256\0\xff\xff\xff\xffx", 19)),
            "malformed SASLInitialResponse");
  EXPECT_EQ(complaint(Method::scram, std::string("SCRAM-SHA-256\0\xff\xff\xff\xfe", 18)),
            "malformed SASLInitialResponse");
  EXPECT_EQ(complaint(Method::scram, std::string("SCRAM-SHA-256\0\0\0\0\x09n,,", 21)),
            "malformed SASLInitialResponse");
  const auto initial = [](std::string_view mechanism, std::string_view data) {
    return body_of(pgwire::sasl_initial_response(mechanism, data));
  };
  EXPECT_EQ(complaint(Method::scram, initial("SCRAM-SHA-1", "n,,n=,r=a")),
            "client selected an invalid SASL authentication mechanism");
  EXPECT_EQ(complaint(Method::scram, initial(kScramPlus, "p=tls-server-end-point,,n=,r=a")),
            "client selected an invalid SASL authentication mechanism");
  EXPECT_EQ(complaint(Method::scram, initial(kScram, "nonsense")),
            "malformed SCRAM message: no header");
}

TEST(Login, mechanism_may_come_alone_as_in_postgresql) {
  const std::string alone("SCRAM-SHA-256\0\xff\xff\xff\xff", 18);
  Challenge challenge({.user = kUser, .secret = verifier(), .mock_secret = "m"});
  Responder responder(SecretText(kPassword), kUser);
  const auto answer = responder.resume(body_of(challenge.begin().text));
  const std::string body = body_of(answer.text);
  const auto initial = pgwire::parse_sasl_initial_response(body);
  ASSERT_TRUE(initial && initial->data);
  const Challenge::Step empty = challenge.resume(alone);
  EXPECT_EQ(empty.kind, Challenge::Step::Kind::ask);
  EXPECT_EQ(empty.text,
            pgwire::authentication_message(pgwire::AuthenticationRequest::sasl_continue));
  const Challenge::Step asked = challenge.resume(*initial->data);
  const auto proof = responder.resume(body_of(asked.text));
  EXPECT_EQ(challenge.resume(body_of(proof.text)).kind, Challenge::Step::Kind::right);
  Challenge other({.user = kUser, .secret = verifier(), .mock_secret = "m"});
  static_cast<void>(other.begin());
  static_cast<void>(other.resume(alone));
  EXPECT_EQ(other.resume("").kind, Challenge::Step::Kind::malformed);
}

TEST(Login, requests_that_are_wrong_are_said_to_be) {
  const auto complaint = [](const std::string& body) {
    Responder responder(SecretText(kPassword), kUser);
    return responder.resume(body).text;
  };
  const auto request = [](int kind, const std::string& data = {}) {
    std::string body;
    base::append_i32(body, kind);
    return body + data;
  };
  EXPECT_EQ(complaint(""), "the server sent a malformed Authentication message");
  EXPECT_EQ(complaint(request(5, "abc")), "the server sent a malformed Authentication message");
  EXPECT_EQ(complaint(request(7)),
            "the server asks for an authentication that the proxy does not know (7)");
  EXPECT_EQ(complaint(request(10, "SCRAM")), "the server sent a malformed Authentication message");
  EXPECT_EQ(complaint(request(10, std::string("OTHER\0\0", 7))),
            "the server offers no SASL mechanism that the proxy knows");
  EXPECT_EQ(complaint(request(11, "r=x")), "the server sent an Authentication message out of turn");
  EXPECT_EQ(complaint(request(12, "v=x")), "the server sent an Authentication message out of turn");
}

TEST(Login, plus_is_offered_where_the_channel_can_be_bound) {
  Challenge plain({.user = kUser, .secret = {}, .mock_secret = "m"});
  EXPECT_EQ(plain.begin().text, pgwire::sasl_request(std::vector<std::string_view>{kScram}));
  Challenge bound({.user = kUser, .secret = {}, .mock_secret = "m", .channel_binding = "hash"});
  EXPECT_EQ(bound.begin().text,
            pgwire::sasl_request(std::vector<std::string_view>{kScramPlus, kScram}));
}

}  // namespace
}  // namespace helios::auth
