// SPDX-License-Identifier: Apache-2.0
#include "auth/challenge.hpp"

#include "auth/md5.hpp"

#include <openssl/rand.h>

#include <new>
#include <utility>
#include <vector>

namespace helios::auth {
namespace {

using Kind = Challenge::Step::Kind;
using pgwire::AuthenticationRequest;

// Longer ones are work for a client of whom nothing is known yet.
constexpr std::size_t kMaxPasswordBytes = 1000;

Challenge::Step malformed(const base::Error& error) { return {Kind::malformed, error.message}; }

}  // namespace

bool Challenge::is_provable(Method method, const StoredSecret& secret) {
  if (std::holds_alternative<std::monostate>(secret)) return false;
  return method != Method::scram || !std::holds_alternative<Md5Hash>(secret);
}

Challenge::Challenge(Options options) : options_(std::move(options)) {
  if (options_.method == Method::md5 && !std::holds_alternative<Md5Hash>(options_.secret))
    options_.method = Method::scram;
}

Challenge::Step Challenge::begin() {
  switch (options_.method) {
    case Method::password:
      return {Kind::ask, pgwire::authentication_message(AuthenticationRequest::cleartext_password)};
    case Method::md5:
      if (RAND_bytes(reinterpret_cast<unsigned char*>(salt_.data()),
                     static_cast<int>(salt_.size())) != 1)
        throw std::bad_alloc();
      return {Kind::ask, pgwire::md5_request(salt_)};
    case Method::scram: break;
  }
  std::vector<std::string_view> mechanisms;
  if (!options_.channel_binding.empty()) mechanisms.push_back(kScramPlus);
  mechanisms.push_back(kScram);
  return {Kind::ask, pgwire::sasl_request(mechanisms)};
}

Challenge::Step Challenge::resume(std::string_view body) {
  switch (options_.method) {
    case Method::password: return judge_password(body);
    case Method::md5: return judge_md5(body);
    case Method::scram: break;
  }
  if (!scram_) return begin_scram(body);
  return std::exchange(is_first_missing_, false) ? answer_scram(body) : finish_scram(body);
}

// ---- password

Challenge::Step Challenge::judge_password(std::string_view body) {
  const auto password = pgwire::parse_password(body);
  if (!password) return malformed(password.error());
  if (password->empty()) return {Kind::malformed, "empty password returned by client"};
  if (password->size() > kMaxPasswordBytes) return {Kind::malformed, "the password is too long"};
  if (!fits(*password)) return {Kind::wrong};
  credentials_ = SecretText(std::string(*password));
  return {Kind::right};
}

// A verifier is made whatever the secret is: the time for it must not tell one user from another.
bool Challenge::fits(std::string_view password) const {
  const ScramVerifier verifier = scram_options().verifier;
  const SecretText prepared = prepare_password(password);
  const bool is_verified =
      make_verifier(prepared.text(), verifier.salt, verifier.iterations) == verifier;
  if (const auto* stored = std::get_if<StoredPassword>(&options_.secret))
    return equals_secretly(stored->password.text(), password);
  if (const auto* hash = std::get_if<Md5Hash>(&options_.secret))
    return equals_secretly(hash->text.text(), md5_hash(password, options_.user));
  return is_verified;
}

// ---- md5

Challenge::Step Challenge::judge_md5(std::string_view body) {
  const auto answer = pgwire::parse_password(body);
  if (!answer) return malformed(answer.error());
  const std::string& hash = std::get<Md5Hash>(options_.secret).text.text();
  if (!equals_secretly(*answer, md5_answer(hash, {salt_.data(), salt_.size()})))
    return {Kind::wrong};
  credentials_ = Md5Hash{SecretText(hash)};
  return {Kind::right};
}

// ---- scram-sha-256

ScramServer::Options Challenge::scram_options() const {
  if (const auto* verifier = std::get_if<ScramVerifier>(&options_.secret))
    return {.verifier = *verifier};
  if (const auto* stored = std::get_if<StoredPassword>(&options_.secret))
    return {.verifier = stored->verifier};
  return {
      .verifier = make_mock_verifier(options_.user, options_.mock_secret, options_.mock_iterations),
      .is_doomed = true};
}

Challenge::Step Challenge::begin_scram(std::string_view body) {
  const auto response = pgwire::parse_sasl_initial_response(body);
  if (!response) return malformed(response.error());
  const bool is_plus = response->mechanism == kScramPlus;
  const bool is_offered =
      is_plus ? !options_.channel_binding.empty() : response->mechanism == kScram;
  if (!is_offered)
    return {Kind::malformed, "client selected an invalid SASL authentication mechanism"};
  ScramServer::Options options = scram_options();
  options.is_plus = is_plus;
  options.channel_binding = options_.channel_binding;
  scram_.emplace(std::move(options));
  if (response->data) return answer_scram(*response->data);
  // As in PostgreSQL: an empty challenge, to which he answers with what he has left out.
  is_first_missing_ = true;
  return {Kind::ask, pgwire::authentication_message(AuthenticationRequest::sasl_continue)};
}

Challenge::Step Challenge::answer_scram(std::string_view client_first) {
  auto answer = scram_->begin(client_first);
  if (!answer) return malformed(answer.error());
  return {Kind::ask, pgwire::authentication_message(AuthenticationRequest::sasl_continue, *answer)};
}

Challenge::Step Challenge::finish_scram(std::string_view body) {
  const auto answer = scram_->finish(body);
  if (!answer) return malformed(answer.error());
  if (!*answer) return {Kind::wrong};
  credentials_ = keep(ScramKeys{scram_->client_key(), scram_->verifier()});
  return {Kind::right, pgwire::authentication_message(AuthenticationRequest::sasl_final, **answer)};
}

// A password that the proxy has opens more than what the client has shown.
Credentials Challenge::keep(Credentials otherwise) const {
  if (const auto* stored = std::get_if<StoredPassword>(&options_.secret)) return stored->password;
  return otherwise;
}

}  // namespace helios::auth
