// SPDX-License-Identifier: Apache-2.0
#include "cli/stream_command.hpp"

#include "admin/rfc3339.hpp"
#include "admin/stream_page.hpp"
#include "cli/json_answer.hpp"
#include "cli/one_line.hpp"
#include "cli/since.hpp"
#include "cli/stream_reader.hpp"
#include "cli/stream_verifier.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <optional>
#include <ostream>
#include <string>

namespace helios::cli {
namespace {

namespace json = boost::json;

// The answer in JSON is at most six times as long, which is less than a client takes.
constexpr std::uint64_t kPageBytes = 4ULL << 20;
constexpr std::int64_t kPollMs = 1000;

base::Result<void> failed(std::string message) {
  return base::fail(base::Errc::invalid, std::move(message));
}

// Reads records of one stream, page after page, until there are none or so many as were asked for.
class Pages {
 public:
  Pages(const KvOptions& options, const AskAdmin& ask, std::optional<std::int64_t> since_ms)
      : options_(options), ask_(ask) {
    range_ = {.from = options.stream.from, .since_ms = since_ms, .max_bytes = kPageBytes};
  }

  // Errors: those of read_page(); invalid (records have made room before they were read).
  base::Result<AnsweredPage> next() {
    const std::uint64_t limit = options_.stream.limit;
    range_.max_records = admin::kMaxRecordLimit;
    if (limit != 0) range_.max_records = std::min(range_.max_records, limit - count_);
    auto answer = read_page(ask_, options_.plugin, options_.stream.name, range_);
    if (!answer) return answer;
    const kv::RecordNumber first = answer->page.extent.first;
    if (count_ != 0 && first > range_.from)
      return base::fail(base::Errc::invalid,
                        "records " + std::to_string(range_.from) + " to " +
                            std::to_string(first - 1) +
                            " have made room before they could be read ([kv] max_ring_bytes)");
    count_ += answer->page.records.size();
    range_.from = answer->next_from;
    is_complete_ = answer->page.records.empty() || range_.from >= answer->page.extent.next;
    return answer;
  }

  [[nodiscard]] std::uint64_t count() const { return count_; }
  // Everything that there was at the last page has come.
  [[nodiscard]] bool is_complete() const { return is_complete_; }
  // As many have come as were asked for.
  [[nodiscard]] bool is_enough() const {
    return options_.stream.limit != 0 && count_ >= options_.stream.limit;
  }

 private:
  const KvOptions& options_;
  const AskAdmin& ask_;
  kv::StreamRange range_;
  std::uint64_t count_ = 0;
  bool is_complete_ = false;
};

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
    out << record.number << '\t' << admin::to_rfc3339(record.time_ms) << '\t'
        << on_one_line(record.bytes) << '\n';
  }
}

base::Result<void> print_records(const KvOptions& options, Pages& pages, const Console& console) {
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

base::Result<void> verify(const KvOptions& options, Pages& pages, std::ostream& out) {
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
  Pages pages(options, ask, since_ms);
  return wanted.verify ? verify(options, pages, console.out)
                       : print_records(options, pages, console);
}

}  // namespace helios::cli
