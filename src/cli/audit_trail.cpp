// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_trail.hpp"

#include "base/text.hpp"
#include "cli/json_answer.hpp"

namespace helios::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostNamed = 5;

// Whoever wrote the trail must not reach a terminal.
std::string shown_request(std::string_view request) {
  return base::escape_for_log(request, kMaxRequestBytes);
}

std::unexpected<base::Error> wrong(std::int64_t number, std::string_view what) {
  return base::fail(base::Errc::invalid,
                    "record " + std::to_string(number) + ": " + std::string(what));
}

ChainLink link_of(const kv::StreamRecord& record) {
  return {static_cast<std::int64_t>(record.number), base::to_hex(record.digest)};
}

}  // namespace

base::Result<void> TrailVerifier::add(const kv::StreamPage& page) {
  if (auto added = records_.add(page); !added) return added;
  if (!page.records.empty() && !has_records()) begins_at_first_ = page.records.front().number == 1;
  for (const kv::StreamRecord& record : page.records) {
    if (auto added = add_record(record); !added) return added;
    if (auto checked = anchors_.check(record); !checked) return checked;
  }
  if (!page.records.empty()) newest_ = link_of(page.records.back());
  return {};
}

base::Result<void> TrailVerifier::add_record(const kv::StreamRecord& record) {
  const auto number = static_cast<std::int64_t>(record.number);
  const auto parsed = parser_.parse(record.bytes);
  if (!parsed) return wrong(number, "it is no record of audit-chain: " + parsed.error().message);
  const json::object& object = **parsed;
  const std::string_view type = view_of(object, "type");
  const std::string_view request = view_of(object, "request");
  if (request.size() > kMaxRequestBytes)
    return wrong(number, "it is no record of audit-chain: its \"request\" is too long");
  intervals_.add(record, type == "event" ? &object : nullptr);
  if (type == "intent") return open(request, number);
  if (type == "outcome") return close(request, number);
  if (type == "carried") {
    carried_ = ChainLink{number_of(object, "seq").value_or(0), text_of(object, "sha256")};
  } else if (type == "event") {
    ++events_;
  } else if (type != "settlement") {
    ++others_;
  }
  return {};
}

base::Result<void> TrailVerifier::open(std::string_view request, std::int64_t number) {
  ++statements_;
  const auto [at, is_new] = open_.emplace(request, number);
  if (!is_new) return wrong(number, "a second intent of request " + shown_request(request));
  oldest_.emplace(number, at->first);
  if (open_.size() <= most_open_) return {};
  open_.erase(open_.find(oldest_.begin()->second));
  oldest_.erase(oldest_.begin());
  ++given_up_;
  return {};
}

base::Result<void> TrailVerifier::close(std::string_view request, std::int64_t number) {
  if (const auto at = open_.find(request); at != open_.end()) {
    oldest_.erase(at->second);
    open_.erase(at);
  } else if (late_ < given_up_) {
    ++late_;
  } else if (begins_at_first_) {
    return wrong(number,
                 "an outcome of request " + shown_request(request) + ", which has no intent");
  }
  return {};
}

base::Result<void> TrailVerifier::finish(const kv::StreamExtent& extent,
                                         const std::optional<ChainLink>& before) const {
  if (auto finished = records_.finish(extent); !finished) return finished;
  if (auto finished = anchors_.finish(newest_.seq); !finished) return finished;
  if (before && before->seq != 0 && begins_at_first_ && has_records() && carried_ != before)
    return base::fail(base::Errc::invalid,
                      "the trail does not go on from the chain before it, which ends with " +
                          format_link(*before));
  return {};
}

std::string TrailVerifier::summary() const {
  std::string text = records_.summary() + "\n" + std::to_string(statements_) + " statements";
  if (others_ != 0) text += ", " + std::to_string(others_) + " records of another kind";
  if (given_up_ != 0)
    text += ", " + std::to_string(given_up_) +
            " of them given up before their outcome: more than " + std::to_string(most_open_) +
            " were open at a time";
  if (open_.empty())
    return text + (given_up_ == 0 ? ", each with its outcome\n" : "\n") + events_summary();
  text += ", " + std::to_string(open_.size()) +
          " of them without an outcome: they are under way, or were when the proxy ended\n";
  std::size_t named = 0;
  for (const auto& [number, request] : oldest_) {
    if (++named > kMostNamed) {
      text += "  ...\n";
      break;
    }
    text += "  " + shown_request(request) + "\n";
  }
  return text + events_summary();
}

std::string TrailVerifier::events_summary() const {
  return (events_ == 0 ? "" : std::to_string(events_) + " events\n") + anchors_.summary() +
         intervals_.summary();
}

}  // namespace helios::cli
