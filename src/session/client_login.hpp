// SPDX-License-Identifier: Apache-2.0
#pragma once

// How a client gets in, before the server hears of it: what a load balancer says of him, his first packets, the rules about who it may be, the limits on
// connections, whether it is he (by rules of the proxy's own, where there are some), and the authenticate hooks. What the
// server asks behind that the client answers, or the proxy for him: see backend::ServerLogin.
//
// Once the client is in it is not needed any more.
//
// Flow: step_packet() with the client's bytes until it says something else than `wait`; after `ask`, step_turn() and then
// step_proof(); after `hold`, end_hold(); after `vet`, step_vetting().
//
// Thread rule: the session's. Lifetime: `environment` and `identity` outlive it. Not destroyed while pending().

#include "auth/responder.hpp"
#include "base/completion.hpp"
#include "hooks/chain.hpp"
#include "hooks/state_barrier.hpp"
#include "pgwire/cancel_request.hpp"
#include "pgwire/startup_packet.hpp"
#include "session/environment.hpp"
#include "session/identity.hpp"
#include "session/login_guard.hpp"
#include "session/proof.hpp"
#include "session/refusal.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace helios::session {

// A place among the limited connections of a user and a database. Given back at its end. Lifetime: `identity` outlives it,
// and its user and database stay.
class Place {
 public:
  Place() = default;
  // One that was taken.
  Place(Admission& admission, const Identity& identity)
      : admission_(&admission), identity_(&identity) {}
  Place(Place&& other) noexcept
      : admission_(std::exchange(other.admission_, nullptr)), identity_(other.identity_) {}
  Place& operator=(Place&& other) noexcept {
    std::swap(admission_, other.admission_);
    std::swap(identity_, other.identity_);
    return *this;
  }
  ~Place() {
    if (admission_ != nullptr) admission_->leave(identity_->user(), identity_->database());
  }

 private:
  Admission* admission_ = nullptr;  // null: none was taken
  const Identity* identity_ = nullptr;
};

class ClientLogin {
 public:
  enum class Next {
    wait,            // for more bytes, or for a hook: `wake` is called then
    say_no,          // to encryption; then refusal(), if there is one
    say_yes,         // to encryption; note_encryption() follows
    encrypt,         // without a word: what is left of the input is part of the handshake
    deliver_cancel,  // take_cancel_key(); the connection ends
    end,             // without a word
    refuse,          // refusal()
    hold,            // nothing happens for hold_ms(), because logins before this one have failed
    ask,             // the client is asked for his password: step_proof() follows
    vet,             // authenticate hooks run
    connect,         // the client may go on: dial the server
  };

  // `peer`: whom `identity` is made of.
  ClientLogin(Environment& environment, Identity& identity, const Peer& peer,
              std::function<void()> wake);
  ClientLogin(const ClientLogin&) = delete;
  ClientLogin& operator=(const ClientLogin&) = delete;

  // Takes one whole packet off `input`. What it leaves of it was not read.
  [[nodiscard]] Next step_packet(std::string_view& input);
  [[nodiscard]] Next step_vetting();

  // The client has begun to answer `ask`. `ask`: go on; else he waits first, or is refused.
  [[nodiscard]] Next step_turn();
  [[nodiscard]] std::uint32_t hold_ms() const { return hold_ms_; }
  [[nodiscard]] Next end_hold();

  // `body` of what the client has answered to `ask`.
  [[nodiscard]] Next step_proof(std::string_view body);

  // The client's connection is encrypted from here on.
  void note_encryption() { is_encrypted_ = true; }

  [[nodiscard]] const std::optional<Refusal>& refusal() const { return refusal_; }
  // Too many logins are under way: he is to be told so, or, where he is dropped, nothing.
  [[nodiscard]] bool is_turned_away() const { return guard_.is_turned_away(); }
  [[nodiscard]] bool is_dropped() const { return guard_.is_dropped(); }
  [[nodiscard]] Refusal turn_away() { return guard_.refusal(); }
  // What becomes of it in the end, where others decide it.
  void note_failure() { guard_.note_failure(); }
  void note_success() { guard_.note_success(); }
  // Somebody has been blocked since: true = it is this client, and refusal() says so. Counts it.
  [[nodiscard]] bool is_blocked();
  [[nodiscard]] pgwire::CancelKey take_cancel_key() { return std::move(*cancel_key_); }
  // As the client sent it, for the server.
  [[nodiscard]] std::string take_packet() { return std::exchange(packet_, {}); }
  // What the client is told meanwhile: a request for his password, the proof that the proxy knows it. Empty: nothing.
  [[nodiscard]] std::string take_message() {
    return proof_ ? proof_->take_message() : std::string();
  }
  // What logs in to the server for the client; null: he does.
  [[nodiscard]] std::unique_ptr<auth::Responder> take_responder();
  // What it said; gone afterwards.
  [[nodiscard]] pgwire::StartupMessage take_startup() { return std::exchange(startup_, {}); }
  // What the session keeps to its end.
  [[nodiscard]] Place take_place() { return std::move(place_); }
  // A replication connection, whose server reads more than SQL.
  [[nodiscard]] bool is_replication() const { return is_replication_; }
  // A hook works elsewhere.
  [[nodiscard]] bool pending() const { return elsewhere_.is_awaited(); }
  [[nodiscard]] std::size_t held_bytes() const { return packet_.size(); }

 private:
  struct Vetting {
    Vetting(base::Executor& home, std::function<void()> wake) : chain_run(home, std::move(wake)) {}
    hooks::AuthenticationRequest request;
    hooks::ChainRun chain_run;
    std::optional<hooks::Kept> kept;  // what they stored; nullopt: not known yet
  };

  Next step_header(std::string_view& input);
  Next step_first_packet(std::string_view& input);
  [[nodiscard]] bool offers_encryption() const;
  [[nodiscard]] bool is_direct_handshake(std::string_view input) const;
  Next handle(std::int32_t code, std::string_view packet, std::string_view rest);
  Next answer_ssl_request(std::string_view rest);
  Next refuse_encryption(std::string_view what, std::string_view rest);
  Next begin(pgwire::StartupMessage message, std::string_view packet);
  Next refuse(std::string_view sqlstate, std::string message);
  // Of a client of whom it is known who it is. `decision`: of the plugins; null: a rule.
  Next deny(Refusal refusal, const hooks::ChainResult* decision = nullptr);
  [[nodiscard]] std::optional<Refusal> objection() const;
  [[nodiscard]] std::optional<Refusal> objection_to_blocked() const;
  [[nodiscard]] std::optional<Refusal> objection_to_plaintext() const;
  [[nodiscard]] std::optional<Refusal> objection_to_packet() const;
  std::string admit();
  Next look();
  Next prove();
  Next follow(Proof::Next next);
  Next go_on();
  void vet();

  Environment& environment_;
  Identity& identity_;
  base::Completion elsewhere_;  // of a hook, of a store
  LoginGuard guard_;
  const bool is_over_limit_;
  bool expects_header_;
  std::uint32_t hold_ms_ = 0;
  bool has_answered_gss_ = false;
  bool has_answered_ssl_ = false;
  bool is_encrypted_ = false;
  bool is_replication_ = false;
  Place place_;
  std::string packet_;
  pgwire::StartupMessage startup_;
  std::optional<pgwire::CancelKey> cancel_key_;
  std::optional<Refusal> refusal_;
  std::unique_ptr<Proof> proof_;      // null: the server authenticates the client
  std::unique_ptr<Vetting> vetting_;  // while authenticate hooks run
};

}  // namespace helios::session
