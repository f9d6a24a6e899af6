// SPDX-License-Identifier: Apache-2.0
//
// Logins from both ends: a client who does not have the secret, and a server who does not. Neither gets in, whatever it says.
// Input: the first letter chooses the end: "c" a client of ours, "s" a server that we log in to; then its messages, each to the
// next byte 0xFF. In them %N stands for our last nonce.

#include "auth/challenge.hpp"
#include "auth/responder.hpp"
#include "base/byte_reader.hpp"
#include "fuzz/support/fuzz.hpp"

#include <string>

namespace helios::fuzz {
namespace {

constexpr char kEnd = '\xFF';
constexpr const char* kPassword = "Vb3-not in any seed-9uR";

// `message`, with what the other side has to repeat.
std::string with_nonce(std::string_view message, std::string_view said) {
  std::string nonce;
  if (const std::size_t at = said.find("r="); at != std::string_view::npos)
    nonce = said.substr(at + 2, said.find(',', at) - at - 2);
  std::string all(message);
  for (std::size_t at = 0; (at = all.find("%N", at)) != std::string::npos; at += nonce.size())
    all.replace(at, 2, nonce);
  return all;
}

const auth::ScramVerifier& verifier() {
  static const auth::ScramVerifier made = auth::make_verifier(kPassword, "0123456789abcdef", 2);
  return made;
}

void play_client(Input input) {
  using Kind = auth::Challenge::Step::Kind;
  const std::uint8_t how = input.take_byte();
  auth::Challenge::Options options;
  options.method = how % 3 == 0   ? auth::Challenge::Method::password
                   : how % 3 == 1 ? auth::Challenge::Method::md5
                                  : auth::Challenge::Method::scram;
  options.user = "ann";
  options.mock_secret = "mock";
  options.mock_iterations = 2;
  if (how & 8) options.channel_binding = "binding";
  if (how & 16) options.secret = verifier();
  if (how & 32)
    options.secret = auth::Md5Hash{auth::SecretText("md5d41d8cd98f00b204e9800998ecf8427f")};
  auth::Challenge challenge(std::move(options));
  auto step = challenge.begin();
  for (int turn = 0; turn < 6 && step.kind == Kind::ask; ++turn) {
    step = challenge.resume(with_nonce(input.take_until(kEnd), step.text));
  }
  require(step.kind != Kind::right, "nobody gets in without the secret");
}

// The server's first request is begun by its code, so that letters reach all of them.
void play_server(Input input) {
  using Kind = auth::Responder::Step::Kind;
  const std::uint8_t how = input.take_byte();
  auth::Credentials credentials;
  if (how & 1) credentials = auth::Md5Hash{auth::SecretText("md5d41d8cd98f00b204e9800998ecf8427f")};
  if (how & 2) credentials = auth::ScramKeys{{}, verifier()};
  auth::Responder responder(std::move(credentials), "ann");
  if (how & 4) responder.bind("binding");
  bool has_begun = false;
  std::string said;
  for (int turn = 0; turn < 8; ++turn) {
    const std::string body = with_nonce(input.take_until(kEnd), said);
    const auto step = responder.resume(body);
    if (step.kind == Kind::send) {
      said = step.text;
      has_begun |= said.find("SCRAM-SHA-256") != std::string::npos;
    }
    if (step.kind == Kind::in) {
      require(!has_begun, "a server that has begun with SCRAM proves itself");
      return;
    }
    if (step.kind == Kind::failed) {
      require(!step.text.empty(), "a reason");
      return;
    }
  }
}

}  // namespace
}  // namespace helios::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace helios::fuzz;
  Input input(text_of(data, size));
  const char end = static_cast<char>(input.take_byte());
  if (end == 'c') play_client(input);
  if (end == 's') play_server(input);
  return 0;
}
