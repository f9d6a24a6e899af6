// SPDX-License-Identifier: Apache-2.0
#include "cli/stream_command.hpp"

#include "admin/stream_page.hpp"
#include "base/rfc3339.hpp"
#include "cli/json_answer.hpp"
#include "cli/one_line.hpp"
#include "cli/since.hpp"
#include "cli/stream_pages.hpp"
#include "cli/stream_reader.hpp"
#include "cli/stream_verifier.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <optional>
#include <ostream>
#include <string>

namespace helios::cli {
namespace {

namespace json = boost::json;

constexpr std::int64_t kPollMs = 1000;

base::Result<void> failed(std::string message) {
  return base::fail(base::Errc::invalid, std::move(message));
}

void print(const json::object& stream, std::ostream& out) {
  const std::int64_t first = number_of(stream, "first").value_or(1);
  const std::int64_t next = number_of(stream, "next").value_or(first);
  out << text_of(stream, "stream") << '\t' << next - first << " records\t";
  if (next != first) out << first << " to " << next - 1;
  out << '\t' << number_of(stream, "bytes").value_or(0) << " bytes\t"
      << text_of(stream, "last_time") << '\n';
}

base::Result<void> list(const KvOptions& options, const AskAdmin& ask, std::ostream& out) {
  admin::Request request;
  request.target = stream_target(options.plugin, {});
  const auto response = checked(ask(request));
  if (!response) return std::unexpected(response.error());
  const auto body = parse_object(response->body);
  if (!body) return failed("the answer " + body.error().message);
  const json::value* streams = body->if_contains("streams");
  if (streams == nullptr || !streams->is_array()) return failed("the answer has no streams");
  for (const json::value& stream : streams->get_array()) {
    if (!stream.is_object()) continue;
    if (options.stream.json) {
      out << json::serialize(stream) << '\n';
    } else {
      print(stream.get_object(), out);
    }
  }
  return {};
}

void print(const kv::StreamRecord& record, bool as_json, std::ostream& out) {
  if (as_json) {
    out << admin::record_line(record) << '\n';
  } else {
    out << record.number << '\t' << base::to_rfc3339(record.time_ms) << '\t'
        << on_one_line(record.bytes) << '\n';
  }
}

base::Result<void> print_records(const KvOptions& options, StreamPages& pages,
                                 const Console& console) {
  while (!pages.is_enough()) {
    const auto answer = pages.next();
    if (!answer) return std::unexpected(answer.error());
    for (const kv::StreamRecord& record : answer->page.records)
      print(record, options.stream.json, console.out);
    if (!pages.is_complete()) continue;
    if (!options.stream.follow) return {};
    // Nobody may be reading any more.
    if (!console.out.flush()) return failed("cannot write the output");
    if (!pages.is_enough()) console.pause(kPollMs);
  }
  return {};
}

base::Result<void> verify(const KvOptions& options, StreamPages& pages, std::ostream& out) {
  const bool is_bounded = !options.stream.since.empty() || options.stream.from > 1;
  std::optional<StreamVerifier> verifier;
  while (true) {
    const auto answer = pages.next();
    if (!answer) return std::unexpected(answer.error());
    if (!verifier) verifier.emplace(answer->plugin, options.stream.name);
    if (auto added = verifier->add(answer->page); !added) return added;
    if (pages.is_enough()) break;
    if (!pages.is_complete()) continue;
    // Who begins behind the end has missed nothing.
    if (pages.count() == 0 && is_bounded) break;
    if (auto finished = verifier->finish(answer->page.extent); !finished) return finished;
    break;
  }
  out << verifier->summary() << '\n';
  return {};
}

}  // namespace

base::Result<void> run_stream(const KvOptions& options, const AskAdmin& ask, const Console& console,
                              std::int64_t now_ms) {
  const StreamOptions& wanted = options.stream;
  if (wanted.follow && !options.admin.state.empty())
    return failed("--follow needs a running proxy: nobody appends to a directory meanwhile");
  if (wanted.name.empty()) {
    if (wanted.follow || wanted.verify || !wanted.since.empty() || wanted.limit != 0 ||
        wanted.from != 1)
      return failed("say which stream: STREAM is left out");
    return list(options, ask, console.out);
  }
  std::optional<std::int64_t> since_ms;
  if (!wanted.since.empty()) {
    const auto since = parse_since(wanted.since, now_ms);
    if (!since) return std::unexpected(since.error());
    since_ms = *since;
  }
  StreamPages pages({.plugin = options.plugin,
                     .stream = wanted.name,
                     .from = wanted.from,
                     .since_ms = since_ms,
                     .limit = wanted.limit},
                    page_reader(ask));
  return wanted.verify ? verify(options, pages, console.out)
                       : print_records(options, pages, console);
}

}  // namespace helios::cli
