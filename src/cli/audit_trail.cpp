// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_trail.hpp"

#include "cli/json_answer.hpp"

namespace helios::cli {
namespace {

constexpr std::size_t kMostNamed = 5;

std::unexpected<base::Error> wrong(std::int64_t number, std::string_view what) {
  return base::fail(base::Errc::invalid,
                    "record " + std::to_string(number) + ": " + std::string(what));
}

}  // namespace

base::Result<void> TrailVerifier::add(const kv::StreamPage& page) {
  if (auto added = records_.add(page); !added) return added;
  if (!page.records.empty() && !has_records()) begins_at_first_ = page.records.front().number == 1;
  for (const kv::StreamRecord& record : page.records) {
    if (auto added = add_record(record); !added) return added;
    if (auto checked = check_anchor(record); !checked) return checked;
  }
  return {};
}

base::Result<void> TrailVerifier::add_record(const kv::StreamRecord& record) {
  const auto number = static_cast<std::int64_t>(record.number);
  const auto object = parse_object(record.bytes);
  if (!object) return wrong(number, "it is no record of audit-chain: " + object.error().message);
  const std::string type = text_of(*object, "type");
  const std::string request = text_of(*object, "request");
  if (type == "intent") {
    ++statements_;
    if (!open_.insert(request).second)
      return wrong(number, "a second intent of request " + request);
  } else if (type == "outcome") {
    if (open_.erase(request) == 0 && begins_at_first_)
      return wrong(number, "an outcome of request " + request + ", which has no intent");
  } else if (type == "carried") {
    carried_ = ChainLink{number_of(*object, "seq").value_or(0), text_of(*object, "sha256")};
  } else if (type != "settlement") {
    ++others_;
  }
  return {};
}

base::Result<void> TrailVerifier::check_anchor(const kv::StreamRecord& record) {
  newest_ = {static_cast<std::int64_t>(record.number), base::to_hex(record.digest)};
  const auto anchor = anchors_.find(newest_.seq);
  if (anchor == anchors_.end() || anchor->second == newest_.hash) return {};
  return wrong(newest_.seq, "it is not the one that the anchor names: the trail was made anew");
}

base::Result<void> TrailVerifier::finish(const kv::StreamExtent& extent,
                                         const std::optional<ChainLink>& before) const {
  if (auto finished = records_.finish(extent); !finished) return finished;
  if (!anchors_.empty() && anchors_.rbegin()->first > newest_.seq)
    return wrong(anchors_.rbegin()->first, "it is missing: an anchor names it");
  if (before && before->seq != 0 && begins_at_first_ && has_records() && carried_ != before)
    return base::fail(base::Errc::invalid,
                      "the trail does not go on from the chain before it, which ends with " +
                          format_link(*before));
  return {};
}

std::string TrailVerifier::summary() const {
  std::string text = records_.summary() + "\n" + std::to_string(statements_) + " statements";
  if (others_ != 0) text += ", " + std::to_string(others_) + " records of another kind";
  if (open_.empty()) return text + ", each with its outcome\n";
  text += ", " + std::to_string(open_.size()) +
          " of them without an outcome: they are under way, or were when the proxy ended\n";
  std::size_t named = 0;
  for (const std::string& request : open_) {
    if (++named > kMostNamed) return text + "  ...\n";
    text += "  " + request + "\n";
  }
  return text;
}

}  // namespace helios::cli
