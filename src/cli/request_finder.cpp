// SPDX-License-Identifier: Apache-2.0
#include "cli/request_finder.hpp"

#include "admin/refusals.hpp"
#include "cli/audit_trail.hpp"
#include "cli/json_answer.hpp"
#include "cli/record_parser.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <utility>

namespace helios::cli {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kWindow = 10'000;  // records that are read at once
constexpr std::uint64_t kWindowBytes = 4ULL << 20;
constexpr int kMostPages = 100;  // of refusals; a proxy keeps ten

base::Result<json::object> refusals_after(const AskAdmin& ask, std::int64_t after) {
  admin::Request request;
  request.target =
      "/refusals?limit=" + std::to_string(admin::kMaxRefusals) + "&after=" + std::to_string(after);
  const auto response = checked(ask(request));
  if (!response) return std::unexpected(response.error());
  return parse_object(response->body);
}

const json::object* find_in(const json::object& page, const std::string& request) {
  const json::value* list = page.if_contains("refusals");
  if (list == nullptr || !list->is_array()) return nullptr;
  for (const json::value& each : list->get_array()) {
    if (each.is_object() && view_of(each.get_object(), "request_id") == request)
      return &each.get_object();
  }
  return nullptr;
}

class Finder {
 public:
  Finder(const StateAccess& state, const std::string& plugin, const std::string& request)
      : state_(state), plugin_(plugin), request_(request) {}

  base::Result<FoundRequest> run(std::int64_t since_ms) {
    found_.since_ms = since_ms;
    const auto first = read({.since_ms = since_ms, .max_records = 1});
    if (!first && first.error().code == base::Errc::not_found) {
      found_.has_trail = false;
      return std::move(found_);
    }
    if (!first) return std::unexpected(first.error());
    const kv::StreamExtent& extent = first->page.extent;
    found_.newest = extent.next - 1;
    const kv::RecordNumber oldest =
        first->page.records.empty() ? extent.next : first->page.records.front().number;
    found_.is_oldest = oldest == extent.first;
    for (kv::RecordNumber end = extent.next; end > oldest && !has_intent();) {
      const kv::RecordNumber from = end - std::min(kWindow, end - oldest);
      if (auto looked = look(from, end); !looked) return std::unexpected(looked.error());
      end = from;
    }
    return std::move(found_);
  }

 private:
  base::Result<AnsweredPage> read(const kv::StreamRange& range) {
    return state_.read_page(plugin_, kTrailStream, range);
  }

  // At the records `from` to the one before `end`.
  base::Result<void> look(kv::RecordNumber from, kv::RecordNumber end) {
    while (from < end) {
      auto answer = read({.from = from, .max_records = end - from, .max_bytes = kWindowBytes});
      if (!answer) return std::unexpected(answer.error());
      if (answer->page.records.empty()) return {};
      for (kv::StreamRecord& record : answer->page.records) look_at(record);
      found_.read += answer->page.records.size();
      from = answer->next_from;
    }
    return {};
  }

  void look_at(kv::StreamRecord& record) {
    if (!record.bytes.contains(request_)) return;
    const auto parsed = parser_.parse(record.bytes);
    if (!parsed || view_of(**parsed, "request") != request_) return;
    const std::string_view type = view_of(**parsed, "type");
    if (type == "intent") {
      found_.statement.intent = std::move(record);
    } else if (type == "outcome") {
      const bool is_last = has_settlement(**parsed);
      found_.statement.outcome = std::move(record);
      if (is_last) found_.statement.settlement = found_.statement.outcome;
    } else if (type == "settlement") {
      found_.statement.settlement = std::move(record);
    }
  }

  [[nodiscard]] bool has_intent() const { return !found_.statement.intent.bytes.empty(); }

  const StateAccess& state_;
  const std::string& plugin_;
  const std::string& request_;
  RecordParser parser_;
  FoundRequest found_;
};

}  // namespace

base::Result<FoundDecision> find_decision(const StateAccess& state, bool is_directory,
                                          const std::string& request) {
  if (is_directory)
    return FoundDecision{.record = {},
                         .why_not = "a running proxy keeps that, in its memory alone"};
  std::int64_t after = 0;
  std::int64_t forgotten = 0;
  for (int page = 0; page < kMostPages; ++page) {
    const auto body = refusals_after(state.ask, after);
    if (!body && body.error().code == base::Errc::unavailable) return std::unexpected(body.error());
    if (!body)
      return FoundDecision{.record = {}, .why_not = "GET /refusals says: " + body.error().message};
    if (const json::object* record = find_in(*body, request))
      return FoundDecision{.record = *record, .why_not = {}};
    forgotten = number_of(*body, "forgotten").value_or(0);
    const std::int64_t last = number_of(*body, "last").value_or(0);
    if (last <= after) break;
    after = last;
  }
  std::string why_not = "the proxy keeps no refusal of this request";
  if (forgotten > 0) why_not += "; it has forgotten " + std::to_string(forgotten) + " older ones";
  return FoundDecision{.record = {}, .why_not = why_not + ", and all of before its start"};
}

base::Result<FoundRequest> find_request(const StateAccess& state, const std::string& plugin,
                                        const std::string& request, std::int64_t since_ms) {
  return Finder(state, plugin, request).run(since_ms);
}

}  // namespace helios::cli
