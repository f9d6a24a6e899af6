// SPDX-License-Identifier: Apache-2.0
#include "admin/access_guard.hpp"

#include "admin/browser_guard.hpp"
#include "admin/replies.hpp"
#include "base/text.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <string>
#include <utility>

namespace helios::admin {
namespace {

constexpr std::string_view kScheme = "Bearer";
constexpr std::size_t kMaxLoggedTargetBytes = 1024;

// The token of "Bearer <token>"; empty when it is not of that form.
std::string_view bearer_token(std::string_view authorization) {
  const std::string_view scheme = authorization.substr(0, authorization.find(' '));
  if (!base::equals_ignore_case(scheme, kScheme)) return {};
  std::string_view rest = authorization.substr(scheme.size());
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  while (rest.ends_with(' ')) rest.remove_suffix(1);
  return is_bearer_token(rest) ? rest : std::string_view();
}

// RFC 6750 section 3.1.
Response insufficient_scope(std::string_view scope, const std::string& text) {
  Response response = error_reply(403, text);
  response.body =
      boost::json::serialize(boost::json::object{{"error", readable(text)}, {"scope", scope}});
  response.headers.push_back(
      {"WWW-Authenticate", "Bearer realm=\"heliosproxy\", error=\"insufficient_scope\", scope=\"" +
                               std::string(scope) + "\""});
  return response;
}

// Who and what, for one log line.
std::string description_of(const Request& request, const Grant& grant) {
  std::string text = grant.name.empty() ? "anybody" : "token " + base::escape_for_log(grant.name);
  text += " from " + base::escape_for_log(request.peer) + ": ";
  text += to_word(request.method);
  text += " " + base::escape_for_log(request.target, kMaxLoggedTargetBytes);
  if (request.method == Method::put) text += ", " + std::to_string(request.body.size()) + " bytes";
  if (request.force && changes_something(request.method)) text += ", forced";
  return text;
}

}  // namespace

std::optional<Response> refuse_scope(const Grant& grant, Scope scope,
                                     std::optional<std::string_view> namespace_name) {
  const std::string token = "the token \"" + grant.name + "\" ";
  if (!grant.allows(scope)) {
    return insufficient_scope(scope_name(scope),
                              token + "lacks the scope \"" + std::string(scope_name(scope)) + "\"");
  }
  if (!namespace_name && !grant.covers_everything()) {
    return insufficient_scope(scope_name(scope),
                              token + "is for single namespaces, and this concerns all of them");
  }
  if (namespace_name && !grant.covers(*namespace_name)) {
    return insufficient_scope(scope_name(scope), token + "is not for the namespace \"" +
                                                     std::string(*namespace_name) + "\"");
  }
  return std::nullopt;
}

AccessGuard::AccessGuard(base::Log& log, const base::Clock& clock,
                         std::shared_ptr<const TokenSet> tokens)
    : log_(log), clock_(clock), tokens_(std::move(tokens)), quiet_log_(log) {}

std::expected<const Grant*, Response> AccessGuard::identify(const Request& request,
                                                            bool is_open_route) {
  if (tokens_->empty()) {
    if (auto refusal = refuse_browser_attack(request)) return std::unexpected(std::move(*refusal));
    return &unlimited_grant();
  }
  if (is_open_route) {
    static const Grant nothing;
    return &nothing;
  }
  if (!request.authorization)
    return std::unexpected(unauthorized(request, stats_->missing_tokens, "no token"));
  const std::string_view token = bearer_token(*request.authorization);
  const Grant* grant = token.empty() ? nullptr : tokens_->find(token);
  if (grant == nullptr)
    return std::unexpected(unauthorized(request, stats_->bad_tokens, "unknown token"));
  return grant;
}

Response AccessGuard::unauthorized(const Request& request, metrics::SharedCounter& counter,
                                   std::string_view reason) {
  counter.add();
  quiet_log_.warn(clock_.monotonic_ns(), "admin: " + std::string(reason) + ": request from " +
                                             base::escape_for_log(request.peer) + " refused");
  Response response = error_reply(401, "missing or invalid admin bearer token");
  const std::string_view error = request.authorization ? ", error=\"invalid_token\"" : "";
  response.headers.push_back(
      {"WWW-Authenticate", "Bearer realm=\"heliosproxy\"" + std::string(error)});
  return response;
}

Responder AccessGuard::watch(const Request& request, const Grant& grant, Responder respond) {
  return [this, what = description_of(request, grant), is_write = changes_something(request.method),
          respond = std::move(respond)](Response response) mutable {
    record(what, response.status, is_write);
    respond(std::move(response));
  };
}

void AccessGuard::record(const std::string& what, int status, bool is_write) {
  if (status == 403) {
    stats_->forbidden.add();
    quiet_log_.warn(clock_.monotonic_ns(), "admin: forbidden: " + what);
  } else if (is_write) {
    stats_->writes.add();
    log_.write(base::LogLevel::info, "admin: audit: " + what + ": " + std::to_string(status));
  }
}

}  // namespace helios::admin
