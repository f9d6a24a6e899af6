// SPDX-License-Identifier: Apache-2.0
#include "admin/blocks.hpp"

#include "admin/access_guard.hpp"
#include "admin/json_bytes.hpp"
#include "admin/replies.hpp"
#include "admin/target.hpp"
#include "base/rfc3339.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <optional>
#include <utility>

namespace helios::admin {
namespace {

namespace json = boost::json;

constexpr std::string_view kRoot = "/blocks/";
constexpr std::int64_t kMaxForSeconds = blocks::kMaxForMs / 1000;

// Whom the path names.
struct Place {
  blocks::Kind kind = blocks::Kind::user;
  std::string name;
};

base::Result<Place> parse_place(const TargetView& target) {
  const std::string_view rest = target.path.substr(kRoot.size());
  const std::size_t slash = rest.find('/');
  const auto kind = blocks::parse_kind(rest.substr(0, slash));
  if (slash == std::string_view::npos || !kind)
    return base::fail(base::Errc::invalid,
                      "expected /blocks/user/NAME, /blocks/database/NAME, /blocks/tenant/NAME or "
                      "/blocks/agent/NAME");
  if (!target.query.empty())
    return base::fail(base::Errc::invalid, "a '?' that is part of a name is written %3F");
  auto name = percent_decode(rest.substr(slash + 1));
  if (!name) return std::unexpected(name.error());
  return Place{*kind, *std::move(name)};
}

std::optional<std::int64_t> seconds_of(const json::value& value) {
  if (!value.is_int64() || value.get_int64() < 1 || value.get_int64() > kMaxForSeconds)
    return std::nullopt;
  return value.get_int64();
}

// {"reason":"...","for_seconds":7200}; the latter may be left out, or null.
base::Result<BlockRequest> parse_block(Place place, std::string_view body) {
  const auto wrong = [](std::string what) { return base::fail(base::Errc::invalid, what); };
  boost::system::error_code error;
  const json::value parsed = json::parse(body, error);
  if (error || !parsed.is_object()) return wrong(R"(expected {"reason":"...","for_seconds":7200})");
  BlockRequest request{
      .kind = place.kind, .name = std::move(place.name), .reason = {}, .for_ms = {}};
  for (const auto& [name, value] : parsed.get_object()) {
    if (name == "reason" && value.is_string()) {
      request.reason = std::string_view(value.get_string());
    } else if (name == "for_seconds") {
      const auto seconds = seconds_of(value);
      if (!seconds && !value.is_null())
        return wrong("for_seconds must be a whole number from 1 to " +
                     std::to_string(kMaxForSeconds) + "; without it the block stays");
      if (seconds) request.for_ms = *seconds * 1000;
    } else {
      return wrong("unexpected field \"" + readable(name) +
                   "\": reason, a text, and for_seconds, a number, are known");
    }
  }
  return request;
}

void put_name(json::object& out, std::string_view name) {
  if (base::is_valid_utf8(name))
    out["name"] = name;
  else
    out["name_percent_encoded"] = percent_encode(name);
}

json::value time_or_null(std::int64_t ms) {
  if (ms == blocks::kNeverOver) return nullptr;
  return json::value(base::to_rfc3339(ms));
}

json::object to_json(const blocks::Block& block) {
  json::object out{{"kind", blocks::to_word(block.kind)}};
  put_name(out, block.name);
  out["reason"] = block.reason;
  out["since"] = base::to_rfc3339(block.since_ms);
  out["expires_at"] = time_or_null(block.expires_at_ms);
  out["kept"] = block.is_kept;
  return out;
}

int status_of(const base::Error& error) {
  switch (error.code) {
    case base::Errc::invalid: return 400;
    case base::Errc::not_found: return 404;
    case base::Errc::limit_exceeded: return 507;
    case base::Errc::unavailable: return 503;
  }
  return 500;
}

Response outcome_reply(const base::Result<BlockOutcome>& outcome) {
  if (!outcome) return error_reply(status_of(outcome.error()), outcome.error().message);
  json::object body{{"ok", true}, {"sessions_ended", outcome->sessions_ended}};
  body["kept"] = outcome->is_kept;
  if (!outcome->warning.empty()) body["warning"] = readable(outcome->warning);
  Response response;
  response.body = json::serialize(body);
  return response;
}

}  // namespace

std::string blocks_json(std::span<const blocks::Block> blocks) {
  json::array list;
  for (const blocks::Block& block : blocks) list.emplace_back(to_json(block));
  return json::serialize(json::object{{"blocks", std::move(list)}});
}

void handle_block(Control& control, const std::shared_ptr<base::Executor>& home,
                  const Request& request, const Grant& grant, Responder respond) {
  const bool is_put = request.method == Method::put;
  if (!is_put && request.method != Method::del) return respond(method_not_allowed("PUT, DELETE"));
  if (auto refusal = refuse_scope(grant, Scope::write, std::nullopt))
    return respond(std::move(*refusal));
  auto place = parse_place(split_target(request.target));
  if (!place) return respond(error_reply(400, place.error().message));
  // The result may come on any thread.
  OnBlocked done = [home,
                    respond = std::move(respond)](base::Result<BlockOutcome> outcome) mutable {
    home->post([respond = std::move(respond), outcome = std::move(outcome)]() mutable {
      respond(outcome_reply(outcome));
    });
  };
  if (!is_put) return control.unblock(place->kind, std::move(place->name), std::move(done));
  auto block = parse_block(*std::move(place), request.body);
  if (!block) return done(std::unexpected(block.error()));
  control.block(*std::move(block), std::move(done));
}

}  // namespace helios::admin
