// SPDX-License-Identifier: Apache-2.0
//
// SCRAM-SHA-256: the example of RFC 7677, both sides against each other, and everything that either may send wrongly.

#include "auth/scram_client.hpp"
#include "auth/scram_server.hpp"
#include "base/base64.hpp"

#include <gtest/gtest.h>

#include <random>

namespace helios::auth {
namespace {

const std::string kSalt = *base::base64_decode("W22ZaJ0SNY7soEsUEjb6gQ==");
const std::string kClientNonce = "rOprNGfwEbeRWgbNEkqO";
const std::string kServerNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const std::string kServerFirst =
    "r=" + kClientNonce + kServerNonce + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

ScramServer::Options pencil() {
  static const ScramVerifier verifier = make_verifier("pencil", kSalt, 4096);
  return {.verifier = verifier, .nonce = kServerNonce};
}

std::string error_of(const auto& result) { return result ? "no error" : result.error().message; }

TEST(Scram, example_of_the_rfc_is_computed) {
  ScramServer server(pencil());
  EXPECT_EQ(server.begin("n,,n=user,r=" + kClientNonce).value(), kServerFirst);
  EXPECT_EQ(server
                .finish("c=biws,r=" + kClientNonce + kServerNonce +
                        ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
                .value(),
            "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

TEST(Scram, verifier_is_the_text_that_postgres_stores) {
  const std::string text = to_text(make_verifier("pencil", kSalt, 4096));
  EXPECT_EQ(
      text,
      "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="
      ":wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=");
  EXPECT_EQ(to_text(*parse_verifier(text)), text);
}

TEST(Scram, wrong_part_of_a_verifier_is_named_and_nothing_of_it_shown) {
  const std::string salt = "c2FsdA==";
  const std::string stored = base::base64_encode(std::string(32, 1));
  const std::string server = base::base64_encode(std::string(32, 2));
  const auto text = [&](const std::string& iterations, const std::string& its_salt,
                        const std::string& one, const std::string& other) {
    return "SCRAM-SHA-256$" + iterations + ":" + its_salt + "$" + one + ":" + other;
  };
  const std::string good = text("4096", salt, stored, server);
  ASSERT_TRUE(parse_verifier(good));
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "must begin with SCRAM-SHA-256$"},
      {"SCRAM-SHA-512$1:a$b:c", "must begin with SCRAM-SHA-256$"},
      {"SCRAM-SHA-256$4096", "must read SCRAM-SHA-256$<iterations>"},
      {"SCRAM-SHA-256$4096:" + salt, "must read"},
      {"SCRAM-SHA-256$4096:" + salt + "$x", "must read"},
      {text("0", salt, stored, server), "needs a number of iterations from 1 to 1000000"},
      {text("-1", salt, stored, server), "needs a number"},
      {text("", salt, stored, server), "needs a number"},
      {text("4096 ", salt, stored, server), "needs a number"},
      {text("1000001", salt, stored, server), "needs a number"},
      {text("4096", "", stored, server), "needs a salt in base64"},
      {text("4096", "c2FsdA=", stored, server), "needs a salt"},
      {text("4096", "c2FsdB==", stored, server), "needs a salt"},
      {text("4096", salt, "AQEBAQ==", server), "needs a StoredKey of 32 bytes in base64"},
      {text("4096", salt, stored, "AQEBAQ=="), "needs a ServerKey of 32 bytes in base64"},
      {good + ":", "needs a ServerKey"},
      {good + " ", "needs a ServerKey"}};
  for (const auto& [wrong, why] : cases) {
    const std::string said = error_of(parse_verifier(wrong));
    EXPECT_TRUE(said.starts_with("malformed SCRAM verifier: it " + why)) << wrong << ": " << said;
    EXPECT_FALSE(said.contains("AQEB") || said.contains("c2Fs")) << said;
  }
}

// Runs a whole login; what the client is told at the end, or who gave up.
std::string login(ScramSecret secret, ScramServer::Options options) {
  ScramServer server(std::move(options));
  ScramClient client(std::move(secret), {});
  const auto first = server.begin(client.begin());
  if (!first) return "server: " + first.error().message;
  const auto answer = client.answer(*first);
  if (!answer) return "client: " + answer.error().message;
  const auto last = server.finish(*answer);
  if (!last) return "server: " + last.error().message;
  if (!*last) return "wrong";
  return client.check(**last) ? "in" : "the server is a fake";
}

TEST(Scram, password_is_the_right_one_or_not) {
  EXPECT_EQ(login(SecretText("pencil"), pencil()), "in");
  EXPECT_EQ(login(SecretText("Pencil"), pencil()), "wrong");
  EXPECT_EQ(login(SecretText(""), pencil()), "wrong");
}

TEST(Scram, keys_that_a_client_has_shown_log_in_where_the_verifier_is_the_same) {
  ScramServer proxy(pencil());
  ScramClient client(SecretText("pencil"), {});
  ASSERT_TRUE(proxy.finish(*client.answer(*proxy.begin(client.begin()))).value());
  const ScramKeys keys{proxy.client_key(), proxy.verifier()};
  EXPECT_EQ(login(keys, pencil()), "in");
  ScramServer::Options other = pencil();
  other.verifier = make_verifier("pencil", "another salt", 4096);
  EXPECT_EQ(login(keys, other),
            "client: the server has another SCRAM verifier for this user than the proxy: copy it "
            "from pg_authid");
}

TEST(Scram, password_is_prepared_as_postgres_does) {
  // A soft hyphen says nothing, a non-breaking space is a space, and a Roman numeral is two letters.
  EXPECT_EQ(prepare_password("I\u00adX").text(), "IX");
  EXPECT_EQ(prepare_password("a\u00a0b").text(), "a b");
  EXPECT_EQ(prepare_password("\u2168").text(), "IX");
  // What is not allowed, and what is no UTF-8, stays.
  EXPECT_EQ(prepare_password("a\x07").text(), "a\x07");
  EXPECT_EQ(prepare_password("a\xff").text(), "a\xff");
  // What says nothing at all would be the empty password.
  EXPECT_EQ(prepare_password("\u00ad").text(), "\u00ad");
  ScramServer::Options options = pencil();
  options.verifier = make_verifier("IX", kSalt, 4096);
  EXPECT_EQ(login(SecretText("\u2168"), options), "in");
}

TEST(Scram, mock_verifier_is_always_the_same_and_fits_nobody) {
  const auto one = make_mock_verifier("ann", "secret of the proxy");
  EXPECT_EQ(one, make_mock_verifier("ann", "secret of the proxy"));
  EXPECT_NE(one.salt, make_mock_verifier("bob", "secret of the proxy").salt);
  EXPECT_NE(one.salt, make_mock_verifier("ann", "another").salt);
  EXPECT_EQ(one.salt.size(), 16U);
  EXPECT_EQ(login(SecretText("pencil"), {.verifier = one, .is_doomed = true}), "wrong");
  // Not even with the right keys.
  ScramServer::Options doomed = pencil();
  doomed.is_doomed = true;
  EXPECT_EQ(login(SecretText("pencil"), doomed), "wrong");
}

TEST(Scram, first_messages_that_are_refused) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "no header"},
      {"n", "no header"},
      {"n,", "no header"},
      {"x,,n=,r=abc", "unexpected channel-binding flag"},
      {"p=tls-unique,,n=,r=abc", "unexpected channel-binding flag"},
      {"n,a=admin,n=,r=abc", "authorization identity is not supported"},
      {"n,,m=x,n=,r=abc", "mandatory extensions are not supported"},
      {"n,,r=abc", "no nonce"},
      {"n,,n=", "no nonce"},
      {"n,,n=,r=", "no nonce"},
      {"n,,n=,r=a b", "no nonce"},
      {"n,,n=,r=a\x80", "no nonce"},
      {"n,,n=,r=" + std::string(300, 'a'), "no nonce"},
  };
  for (const auto& [message, why] : cases) {
    ScramServer server(pencil());
    EXPECT_EQ(error_of(server.begin(message)), "malformed SCRAM message: " + why) << message;
  }
}

TEST(Scram, last_messages_that_are_refused) {
  const std::string nonce = ",r=" + kClientNonce + kServerNonce;
  const std::string proof = ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "no proof"},
      {"c=biws" + nonce, "no proof"},
      {"r=" + kClientNonce + ",c=biws" + proof, "no proof"},
      {"c=eSws" + nonce + proof, "channel binding check failed"},
      {"c=biws,r=" + kClientNonce + proof, "nonce does not match"},
      {"c=biws" + nonce + "x" + proof, "nonce does not match"},
      {"c=biws" + nonce + ",p=", "malformed proof"},
      {"c=biws" + nonce + ",p=AAAA", "malformed proof"},
      {"c=biws" + nonce + proof + "=", "malformed proof"},
  };
  for (const auto& [message, why] : cases) {
    ScramServer server(pencil());
    ASSERT_TRUE(server.begin("n,,n=user,r=" + kClientNonce));
    EXPECT_EQ(error_of(server.finish(message)), "malformed SCRAM message: " + why) << message;
  }
}

TEST(Scram, client_that_could_bind_its_channel_must_have_been_told) {
  const std::string binding(32, 'h');
  ScramServer::Options options = pencil();
  {
    ScramServer plain(options);
    EXPECT_EQ(error_of(plain.begin("y,,n=,r=abc")), "no error") << "there is nothing to bind to";
  }
  options.channel_binding = binding;
  {
    ScramServer hidden(options);
    EXPECT_EQ(error_of(hidden.begin("y,,n=,r=abc")),
              "SCRAM channel binding negotiation error: the client was not told of "
              "SCRAM-SHA-256-PLUS");
  }
  options.is_plus = true;
  for (const std::string flag : {"n", "y", "p=tls-unique"}) {
    ScramServer server(options);
    EXPECT_NE(error_of(server.begin(flag + ",,n=,r=abc")), "no error") << flag;
  }
  ScramServer server(options);
  const std::string header = "p=tls-server-end-point,,";
  ASSERT_TRUE(server.begin(header + "n=,r=" + kClientNonce));
  const std::string rest =
      ",r=" + kClientNonce + kServerNonce + ",p=" + base::base64_encode(std::string(32, 'x'));
  EXPECT_EQ(
      error_of(server.finish("c=" + base::base64_encode(header + std::string(32, 'i')) + rest)),
      "malformed SCRAM message: channel binding check failed");
  EXPECT_EQ(server.finish("c=" + base::base64_encode(header + binding) + rest).value(),
            std::nullopt);
}

TEST(Scram, client_binds_its_channel_where_it_can_and_finds_out_who_stands_between) {
  const std::string binding(32, 'h');
  const auto login_over = [&](ScramClient::Channel channel, const std::string& of_server) {
    ScramServer::Options options = pencil();
    options.is_plus = channel.is_plus;
    options.channel_binding = of_server;
    ScramServer server(options);
    ScramClient client(SecretText("pencil"), std::move(channel));
    const auto first = server.begin(client.begin());
    if (!first) return first.error().message;
    const auto last = server.finish(*client.answer(*first));
    if (!last) return last.error().message;
    return std::string(*last && client.check(**last) ? "in" : "wrong");
  };
  EXPECT_EQ(login_over({.binding = binding, .is_plus = true}, binding), "in");
  EXPECT_EQ(login_over({.binding = std::string(32, 'i'), .is_plus = true}, binding),
            "malformed SCRAM message: channel binding check failed");
  EXPECT_EQ(login_over({.binding = binding}, binding),
            "SCRAM channel binding negotiation error: the client was not told of "
            "SCRAM-SHA-256-PLUS");
  EXPECT_EQ(login_over({.binding = binding}, ""), "in") << "a server that cannot";
}

TEST(Scram, servers_that_are_none_are_found_out) {
  const std::string nonce = "r=abc";
  for (const std::string wrong :
       {"", "r=abc", "r=abcX", "r=xyz,s=AAAA,i=1", "r=abc,s=AAAA,i=1", "r=abcX,s=,i=1",
        "r=abcX,s=!,i=1", "r=abcX,s=AAAA,i=", "r=abcX,s=AAAA,i=0", "r=abcX,s=AAAA,i=-1",
        "r=abcX,s=AAAA,i=1x", "r=abcX,s=AAAA,i=99999999999", "m=x,r=abcX,s=AAAA,i=1",
        "e=other-error"}) {
    ScramClient client(SecretText("pencil"), {}, "abc");
    EXPECT_EQ(error_of(client.answer(wrong)), "the server sent a malformed SCRAM message") << wrong;
  }
  ScramClient busy(SecretText("pencil"), {}, "abc");
  EXPECT_EQ(error_of(busy.answer("r=abcX,s=AAAA,i=1000001")),
            "the server asks for 1000001 rounds of SCRAM, more than 1000000");
  ScramClient client(SecretText("pencil"), {}, "abc");
  EXPECT_FALSE(client.check("v=" + base::base64_encode(std::string(32, '\0'))))
      << "not answered yet";
  ASSERT_TRUE(client.answer("r=abcX,s=AAAA,i=1"));
  for (const std::string& wrong :
       {std::string(), std::string("v="), std::string("v=AAAA"), std::string("e=invalid-proof"),
        "v=" + base::base64_encode(std::string(32, 'x'))}) {
    EXPECT_FALSE(client.check(wrong)) << wrong;
  }
}

TEST(Scram, nothing_that_is_sent_breaks_either_side) {
  std::mt19937 random(7);
  const std::vector<std::string> good{
      "n,,n=user,r=" + kClientNonce,
      "c=biws,r=" + kClientNonce + kServerNonce + ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
      kServerFirst, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="};
  for (int round = 0; round < 3000; ++round) {
    std::string text = good[random() % good.size()];
    for (unsigned change = 0; change <= random() % 3; ++change) {
      const std::size_t at = random() % text.size();
      if (random() % 2 == 0) text[at] = static_cast<char>(random());
      if (random() % 4 == 0) text.erase(at);
      if (text.empty()) text = ",";
    }
    ScramServer server(pencil());
    static_cast<void>(server.begin(text));
    ScramServer begun(pencil());
    ASSERT_TRUE(begun.begin(good[0]));
    const auto last = begun.finish(text);
    EXPECT_TRUE(!last || !*last || text == good[1]) << text;
    ScramClient client(ScramKeys{Key(), pencil().verifier}, {}, kClientNonce);
    static_cast<void>(client.answer(text));
    static_cast<void>(client.check(text));
  }
}

}  // namespace
}  // namespace helios::auth
