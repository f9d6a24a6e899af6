// SPDX-License-Identifier: Apache-2.0
#include "admin/kv_routes.hpp"

#include "admin/accept.hpp"
#include "admin/access_guard.hpp"
#include "admin/json_bytes.hpp"
#include "admin/kv_listing.hpp"
#include "admin/replies.hpp"
#include "admin/routes.hpp"
#include "admin/target.hpp"
#include "admin/write_admission.hpp"
#include "kv/namespace_name.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace helios::admin {
namespace {

constexpr std::string_view kRoot = "/admin/kv";
constexpr std::string_view kBytesType = "application/octet-stream";
constexpr std::int64_t kMaxTtlMs = std::int64_t{1} << 52;  // 140,000 years

// What the path names.
struct Place {
  std::string plugin;  // the namespace
  std::string key;     // empty: the namespace as a whole
};

base::Result<Place> parse_place(std::string_view path) {
  path.remove_prefix(kRoot.size());
  if (path.starts_with('/')) path.remove_prefix(1);
  const auto slash = path.find('/');
  if (slash == std::string_view::npos)
    return base::fail(base::Errc::invalid, "expected /admin/kv/<plugin>/<key>");
  if (slash == 0) return base::fail(base::Errc::invalid, "empty plugin name");
  const auto plugin = percent_decode(path.substr(0, slash));
  auto key = percent_decode(path.substr(slash + 1));
  if (!plugin || !key)
    return base::fail(base::Errc::invalid, plugin ? key.error().message : plugin.error().message);
  auto name = kv::namespace_name(*plugin);
  if (!name) return base::fail(base::Errc::invalid, name.error().message);
  return Place{std::move(*name), std::move(*key)};
}

Response value_reply(const Place& place, FoundValue found, std::string tag, bool as_bytes) {
  Response response;
  response.headers.push_back({"ETag", std::move(tag)});
  if (as_bytes) {
    response.content_type = kBytesType;
    response.body = std::move(found.value);
    return response;
  }
  boost::json::object body{{"plugin", place.plugin}};
  put_key(body, place.key);
  put_value(body, found.value);
  put_counter(body, found.value);
  response.body = boost::json::serialize(body);
  return response;
}

// The client has that version already.
Response not_modified(std::string tag) {
  Response response;
  response.status = 304;
  response.headers.push_back({"ETag", std::move(tag)});
  return response;
}

Response key_not_found() { return error_reply(404, "key not found"); }

// What a read comes to. RFC 9110 section 13.2.2: If-Match first.
Response read_reply(const Place& place, const Preconditions& preconditions, bool as_bytes,
                    StartId start, std::optional<FoundValue> found) {
  if (!found) return key_not_found();
  std::string tag = entity_tag(start, found->version);
  if (preconditions.if_match && !preconditions.if_match->match(tag))
    return error_reply(412, "the key is not as the request wants it");
  if (preconditions.if_none_match && preconditions.if_none_match->match(tag))
    return not_modified(std::move(tag));
  return value_reply(place, std::move(*found), std::move(tag), as_bytes);
}

void get_key(const KvContext& context, Place place, Preconditions preconditions, bool as_bytes,
             Responder respond) {
  kv::Namespace* space = context.store->find(place.plugin);
  if (space == nullptr) return respond(key_not_found());
  // Either callback may answer, never both.
  auto shared = std::make_shared<Responder>(std::move(respond));
  std::string key = place.key;
  start_read(
      context, *space, std::move(key),
      [shared, place = std::move(place), preconditions = std::move(preconditions), as_bytes,
       start = context.start](std::optional<FoundValue> found) {
        (*shared)(read_reply(place, preconditions, as_bytes, start, std::move(found)));
      },
      [shared](Response failure) { (*shared)(std::move(failure)); });
}

// When what is written now expires, by the header Helios-TTL-Ms.
base::Result<kv::ExpiryMs> expiry_of(const Request& request, const kv::Store& store) {
  if (!request.ttl_ms) return kv::kNeverExpires;
  const std::string& text = *request.ttl_ms;
  std::int64_t ttl_ms = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ttl_ms);
  if (error != std::errc() || end != text.data() + text.size() || ttl_ms < 1 || ttl_ms > kMaxTtlMs)
    return base::fail(base::Errc::invalid,
                      "Helios-TTL-Ms must be a whole number of milliseconds from 1 to " +
                          std::to_string(kMaxTtlMs));
  return store.now_ms() + ttl_ms;
}

// {"increment":n}
base::Result<std::int64_t> parse_increment(std::string_view body) {
  boost::system::error_code error;
  const boost::json::value parsed = boost::json::parse(body, error);
  const boost::json::object* object = error ? nullptr : parsed.if_object();
  const boost::json::value* by = object == nullptr ? nullptr : object->if_contains("increment");
  const std::int64_t* number = by == nullptr ? nullptr : by->if_int64();
  if (number == nullptr || object->size() != 1)
    return base::fail(base::Errc::invalid,
                      R"(expected {"increment":n} with a whole number of 64 bits)");
  return *number;
}

// What the request makes of the key. Errors: invalid.
base::Result<Edit> edit_of(Request& request, const Place& place, const kv::Store& store) {
  auto preconditions = parse_preconditions(request);
  if (!preconditions) return std::unexpected(preconditions.error());
  const auto expiry = expiry_of(request, store);
  if (!expiry) return std::unexpected(expiry.error());
  Edit edit{.key = place.key, .preconditions = std::move(*preconditions), .change = Remove{}};
  if (request.method == Method::put) edit.change = SetValue{std::move(request.body), *expiry};
  if (request.method == Method::post) {
    const auto by = parse_increment(request.body);
    if (!by) return std::unexpected(by.error());
    edit.change = Increment{*by, *expiry};
  }
  return edit;
}

void make_edit(const KvContext& context, const std::string& space_name, Edit edit,
               Responder respond) {
  const auto space = context.store->open(space_name);
  if (!space) return respond(error_reply(507, space.error().message));
  start_edit(context, **space, std::move(edit), std::move(respond));
}

// Sets the key if the plugin whose namespace it is has nothing against that. Requires: it is a SetValue.
void set_if_allowed(const KvContext& context, const std::string& space, Edit edit,
                    Responder respond) {
  KeyWrite write{.space = space, .key = edit.key, .value = std::get<SetValue>(edit.change).value};
  context.control->judge_write(std::move(write), context.home,
                               [context, space, edit = std::move(edit),
                                respond = std::move(respond)](const WriteOpinion& opinion) mutable {
                                 if (opinion.kind != WriteOpinion::Kind::allowed)
                                   return respond(write_refused(opinion));
                                 make_edit(context, space, std::move(edit), std::move(respond));
                               });
}

// Adds to a counter if the plugin whose namespace it is has nothing against what it becomes. Others may add to it while the
// plugin is asked: then it is asked again.
class JudgedIncrement : public std::enable_shared_from_this<JudgedIncrement> {
 public:
  // Requires: `edit` is an Increment.
  JudgedIncrement(const KvContext& context, std::string space, Edit edit, Responder respond)
      : context_(context),
        space_(std::move(space)),
        edit_(std::move(edit)),
        respond_(std::move(respond)) {}

  void start() {
    ++attempts_;
    kv::Namespace* const space = context_.store->find(space_);
    if (space == nullptr) return judge(std::nullopt);
    start_read(
        context_, *space, edit_.key,
        [self = shared_from_this()](const std::optional<FoundValue>& found) { self->judge(found); },
        [self = shared_from_this()](Response failure) { self->respond_(std::move(failure)); });
  }

 private:
  static constexpr int kMostAttempts = 10;

  void judge(const std::optional<FoundValue>& present) {
    const kv::Version version = present ? present->version : kv::kAbsent;
    if (!edit_.preconditions.hold(entity_tag(context_.start, version)))
      return respond_(error_reply(412, "the key is not as the request wants it"));
    auto& increment = std::get<Increment>(edit_.change);
    increment.only_if = version;
    const auto sum = counter_sum(present, increment.by);
    if (!sum) return respond_(error_reply(409, sum.error().message));
    context_.control->judge_write({.space = space_, .key = edit_.key, .value = counter_bytes(*sum)},
                                  context_.home,
                                  [self = shared_from_this()](const WriteOpinion& opinion) {
                                    if (opinion.kind != WriteOpinion::Kind::allowed)
                                      return self->respond_(write_refused(opinion));
                                    self->add();
                                  });
  }

  void add() {
    make_edit(context_, space_, edit_, [self = shared_from_this()](Response response) {
      if (response.status == 412 && self->attempts_ < kMostAttempts) return self->start();
      self->respond_(std::move(response));
    });
  }

  const KvContext context_;
  const std::string space_;
  Edit edit_;
  Responder respond_;
  int attempts_ = 0;
};

void edit_key(const KvContext& context, const Place& place, const WriteFlags& flags,
              const Grant& grant, Edit edit, Responder respond) {
  if (auto refusal = refuse_append_only(context.control, place.plugin))
    return respond(*std::move(refusal));
  // Looked at before the namespace is made, so that a refused write leaves no trace.
  const auto* set = std::get_if<SetValue>(&edit.change);
  if (place.key.size() > context.store->limits().max_key_bytes)
    return respond(error_reply(413, "kv_max_key_bytes exceeded"));
  if (set != nullptr && set->value.size() > context.store->limits().max_value_bytes)
    return respond(error_reply(413, "kv_max_value_bytes exceeded"));
  const bool is_new = context.store->find(place.plugin) == nullptr;
  if (is_new && edit.preconditions.if_match)
    return respond(error_reply(412, "the key is not as the request wants it"));
  if (is_new && !flags.makes_namespace)
    return respond(no_such_namespace(*context.store, grant, place.plugin));
  const auto* increment = std::get_if<Increment>(&edit.change);
  const bool writes = set != nullptr || (increment != nullptr && increment->by != 0);
  if (!writes || context.control == nullptr)
    return make_edit(context, place.plugin, std::move(edit), std::move(respond));
  if (!flags.is_forced && set != nullptr)
    return set_if_allowed(context, place.plugin, std::move(edit), std::move(respond));
  if (!flags.is_forced)
    return std::make_shared<JudgedIncrement>(context, place.plugin, std::move(edit),
                                             std::move(respond))
        ->start();
  context.control->note_forced_write(place.plugin, edit.key);
  make_edit(context, place.plugin, std::move(edit), std::move(respond));
}

void handle_key(const KvContext& context, Request& request, Place place, const Grant& grant,
                Responder respond) {
  if (request.method == Method::other) return respond(method_not_allowed(std::string(kKeyMethods)));
  const auto flags = write_flags(request);
  if (!flags) return respond(error_reply(400, flags.error().message));
  auto edit = edit_of(request, place, *context.store);
  if (!edit) return respond(error_reply(400, edit.error().message));
  switch (request.method) {
    case Method::get:
    case Method::head:
      return get_key(context, std::move(place), std::move(edit->preconditions),
                     prefers(request.accept, kBytesType), std::move(respond));
    case Method::del:
      if (context.store->find(place.plugin) == nullptr && !edit->preconditions.if_match)
        return respond(ok_reply());
      [[fallthrough]];
    case Method::put:
    case Method::post:
      return edit_key(context, place, *flags, grant, std::move(*edit), std::move(respond));
    case Method::other: return;
  }
}

// A purge names its prefix, be it an empty one: nobody shall lose everything by a forgotten key.
void purge(const KvContext& context, const Place& place, std::string_view query,
           Responder respond) {
  const auto parameters = parse_query(query);
  if (!parameters) return respond(error_reply(400, parameters.error().message));
  if (parameters->size() != 1 || parameters->front().first != "prefix")
    return respond(error_reply(
        400, "DELETE of a listing takes one query parameter: prefix (empty = every key)"));
  kv::Namespace* space = context.store->find(place.plugin);
  if (space == nullptr) {
    Response response;
    response.body = R"({"ok":true,"deleted":0})";
    return respond(std::move(response));
  }
  if (auto refusal = refuse_append_only(context.control, place.plugin))
    return respond(*std::move(refusal));
  start_purge(context, *space, parameters->front().second, std::move(respond));
}

void handle_list(const KvContext& context, const Request& request, const Place& place,
                 std::string_view query, Responder respond) {
  switch (request.method) {
    case Method::get:
    case Method::head: break;
    case Method::del: return purge(context, place, query, std::move(respond));
    case Method::put:
    case Method::post:
    case Method::other: return respond(method_not_allowed(std::string(kListMethods)));
  }
  const auto list = parse_list_request(query);
  if (!list) return respond(error_reply(400, list.error().message));
  respond(list_keys(context, context.store->find(place.plugin), place.plugin, *list));
}

// 403 for what the grant does not cover. A method that no route has needs no right.
std::optional<Response> refuse_request(const Request& request, const Grant& grant,
                                       std::string_view plugin) {
  switch (request.method) {
    case Method::get:
    case Method::head: return refuse_scope(grant, Scope::read, plugin);
    case Method::put:
    case Method::post:
    case Method::del: return refuse_scope(grant, Scope::write, plugin);
    case Method::other: return std::nullopt;
  }
  std::unreachable();
}

}  // namespace

std::string KvRoutes::namespace_of(std::string_view target) {
  auto place = parse_place(split_target(target).path);
  return place ? std::move(place->plugin) : std::string();
}

void KvRoutes::handle(Request request, const Grant& grant, Responder respond) {
  const std::string target = std::move(request.target);
  const auto [path, query] = split_target(target);
  auto place = parse_place(path);
  if (!place) return respond(error_reply(400, place.error().message));
  if (auto refusal = refuse_request(request, grant, place->plugin))
    return respond(std::move(*refusal));
  if (place->key.empty()) return handle_list(context_, request, *place, query, std::move(respond));
  if (!query.empty())
    return respond(error_reply(400,
                               "a key takes no query parameters; write a '?' that is part of the "
                               "key as %3F"));
  handle_key(context_, request, std::move(*place), grant, std::move(respond));
}

}  // namespace helios::admin
