// SPDX-License-Identifier: Apache-2.0
#include "admin/stream_routes.hpp"

#include "admin/accept.hpp"
#include "admin/access_guard.hpp"
#include "admin/replies.hpp"
#include "admin/routes.hpp"
#include "admin/stream_page.hpp"
#include "admin/target.hpp"
#include "kv/namespace_name.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace helios::admin {
namespace {

// What the path names.
struct Place {
  std::string plugin;  // the namespace
  std::string stream;  // empty: all of them
};

base::Result<Place> parse_place(std::string_view path) {
  path.remove_prefix(kStreamsRoot.size());
  if (path.starts_with('/')) path.remove_prefix(1);
  const auto slash = std::min(path.find('/'), path.size());
  const auto plugin = percent_decode(path.substr(0, slash));
  path.remove_prefix(std::min(slash + 1, path.size()));
  auto stream = percent_decode(path);
  if (!plugin || !stream) return std::unexpected(plugin ? stream.error() : plugin.error());
  if (plugin->empty())
    return base::fail(base::Errc::invalid, "expected /admin/streams/<plugin>/<stream>");
  auto name = kv::namespace_name(*plugin);
  if (!name) return base::fail(base::Errc::invalid, name.error().message);
  if (!stream->empty() && !kv::is_stream_name(*stream))
    return base::fail(base::Errc::invalid,
                      "no stream can have that name: it has 1 to 64 letters, digits, '-', '_' and "
                      "'.', and does not begin with '.'");
  return Place{std::move(*name), std::move(*stream)};
}

Response read_page(kv::Store& store, kv::Namespace& space, const std::string& stream,
                   const kv::StreamRange& range, bool as_lines) {
  const auto page = store.read_stream(space, stream, range);
  if (!page) return error_reply(503, page.error().message);
  return as_lines ? stream_lines_reply(*page)
                  : stream_page_reply(space.name(), stream, range, *page);
}

void start_page(const StreamContext& context, kv::Namespace& space, std::string stream,
                const kv::StreamRange& range, bool as_lines, Responder respond) {
  context.reader->post([&store = *context.store, home = context.home, &space, range, as_lines,
                        stream = std::move(stream), respond = std::move(respond)]() mutable {
    Response response = read_page(store, space, stream, range, as_lines);
    home->post([respond = std::move(respond), response = std::move(response)]() mutable {
      respond(std::move(response));
    });
  });
}

Response only_read() {
  return method_not_allowed(std::string(kReadMethods),
                            "records of a stream are only read here: plugins append them, and "
                            "nothing changes or removes them");
}

}  // namespace

void StreamRoutes::handle(const Request& request, const Grant& grant, Responder respond) {
  const auto [path, query] = split_target(request.target);
  if (request.method != Method::get && request.method != Method::head) return respond(only_read());
  auto place = parse_place(path);
  if (!place) return respond(error_reply(400, place.error().message));
  if (auto refusal = refuse_scope(grant, Scope::read, place->plugin))
    return respond(std::move(*refusal));
  const auto range = parse_stream_range(query);
  if (!range) return respond(error_reply(400, range.error().message));
  if (place->stream.empty() && !query.empty())
    return respond(error_reply(400, "a list of streams takes no query parameters"));
  kv::Namespace* space = context_.store->find(place->plugin);
  if (space == nullptr) return respond(error_reply(404, "namespace not found"));
  const auto streams = context_.store->streams(*space);
  if (place->stream.empty()) return respond(stream_list_reply(place->plugin, streams));
  if (std::ranges::find(streams, place->stream, &kv::StreamInfo::name) == streams.end())
    return respond(error_reply(404, "stream not found"));
  start_page(context_, *space, std::move(place->stream), *range,
             prefers(request.accept, kLinesType), std::move(respond));
}

}  // namespace helios::admin
