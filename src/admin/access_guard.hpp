// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who may do what over the admin interface, and the record of who did.
//
// With tokens configured, every request but those for open routes needs one, on loopback as well:
// another user of the machine is a stranger too. Without tokens everybody who reaches the port may do
// everything, and web pages are kept out (browser_guard.hpp); with tokens that guard is not needed,
// since no page can make a browser send one.
//
// Every write that was let through leaves one log line: who, from where, what, with which result.
// Requests that were turned away are counted, and written to the log now and then.

#include "admin/message.hpp"
#include "admin/tokens.hpp"
#include "base/clock.hpp"
#include "base/quiet_log.hpp"
#include "metrics/counter.hpp"

#include <expected>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace helios::admin {

// What a grant lacks for something that concerns one namespace, or (none given) all of them: a 403
// that names the scope. Nullopt: nothing.
[[nodiscard]] std::optional<Response> refuse_scope(const Grant& grant, Scope scope,
                                                   std::optional<std::string_view> namespace_name);

// Thread rule: one thread; stats() from any.
class AccessGuard {
 public:
  struct Stats {
    metrics::SharedCounter missing_tokens;  // answered 401: no token
    metrics::SharedCounter bad_tokens;      // answered 401: no such token
    metrics::SharedCounter forbidden;       // answered 403
    metrics::SharedCounter writes;          // let through, whatever came of them
  };

  // Lifetime: `log` and `clock` outlive the guard and every answer that is still due.
  AccessGuard(base::Log& log, const base::Clock& clock, std::shared_ptr<const TokenSet> tokens);

  // In force from the next request on.
  void replace(std::shared_ptr<const TokenSet> tokens) { tokens_ = std::move(tokens); }

  // What whoever asks may do; on an open route that is nothing, without a token. The grant lives
  // until replace(). Error: the refusal (401, or 403 for a web page).
  [[nodiscard]] std::expected<const Grant*, Response> identify(const Request& request,
                                                               bool is_open_route);

  // `respond`, watched: writes are recorded and refusals counted when the answer comes. The result
  // must not outlive the guard.
  [[nodiscard]] Responder watch(const Request& request, const Grant& grant, Responder respond);

  [[nodiscard]] const Stats& stats() const { return *stats_; }

 private:
  Response unauthorized(const Request& request, metrics::SharedCounter& counter,
                        std::string_view reason);
  void record(const std::string& what, int status, bool is_write);

  base::Log& log_;
  const base::Clock& clock_;
  std::shared_ptr<const TokenSet> tokens_;
  base::QuietLog quiet_log_;
  std::unique_ptr<Stats> stats_ = std::make_unique<Stats>();
};

}  // namespace helios::admin
