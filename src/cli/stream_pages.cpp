// SPDX-License-Identifier: Apache-2.0
#include "cli/stream_pages.hpp"

#include "admin/stream_page.hpp"

#include <algorithm>
#include <utility>

namespace helios::cli {
namespace {

// The answer in JSON is at most six times as long, which is less than a client takes.
constexpr std::uint64_t kPageBytes = 4ULL << 20;

}  // namespace

StreamPages::StreamPages(Wanted wanted, ReadPage read_page)
    : wanted_(std::move(wanted)), read_page_(std::move(read_page)) {
  range_ = {.from = wanted_.from, .since_ms = wanted_.since_ms, .max_bytes = kPageBytes};
}

base::Result<AnsweredPage> StreamPages::next() {
  range_.max_records = admin::kMaxRecordLimit;
  if (wanted_.limit != 0) range_.max_records = std::min(range_.max_records, wanted_.limit - count_);
  auto answer = read_page_(wanted_.plugin, wanted_.stream, range_);
  if (!answer) return answer;
  const kv::RecordNumber first = answer->page.extent.first;
  if (count_ != 0 && first > range_.from)
    return base::fail(base::Errc::invalid,
                      "records " + std::to_string(range_.from) + " to " +
                          std::to_string(first - 1) +
                          " have made room before they could be read ([kv] max_ring_bytes)");
  count_ += answer->page.records.size();
  range_.from = answer->next_from;
  // Which record comes first is known now: later pages need not look for it.
  if (!answer->page.records.empty()) range_.since_ms.reset();
  is_complete_ = answer->page.records.empty() || range_.from >= answer->page.extent.next;
  return answer;
}

}  // namespace helios::cli
