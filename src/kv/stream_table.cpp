// SPDX-License-Identifier: Apache-2.0
#include "kv/stream_table.hpp"

#include "kv/limits.hpp"

#include <algorithm>
#include <utility>

namespace helios::kv {

bool StreamTable::fits(std::span<const AppendRecord> appends, std::string_view also,
                       std::uint64_t max_streams) const {
  // Nearly always every stream is there already, and nothing is counted.
  const auto is_new = [this](std::string_view name) {
    return !name.empty() && !streams_.contains(name);
  };
  std::vector<std::string_view> fresh;
  const auto note = [&fresh, &is_new](std::string_view name) {
    if (is_new(name) && std::ranges::find(fresh, name) == fresh.end()) fresh.push_back(name);
  };
  for (const AppendRecord& append : appends) note(append.stream);
  note(also);
  return fresh.empty() || streams_.size() + fresh.size() <= max_streams;
}

std::span<const NumberedRecord> StreamTable::number(std::span<const AppendRecord> appends,
                                                    std::int64_t now_ms,
                                                    std::uint64_t max_ring_bytes) {
  numbered_.clear();
  for (const AppendRecord& append : appends) {
    Stream& stream = at(append.stream);
    StreamExtent& extent = stream.extent;
    extent.last_time_ms = std::max(extent.last_time_ms, now_ms);
    numbered_.push_back({.stream = append.stream,
                         .number = extent.next++,
                         .time_ms = extent.last_time_ms,
                         .bytes = append.bytes});
    extent.bytes += record_bytes(append.bytes.size());
    bytes_ += record_bytes(append.bytes.size());
    if (!sha_) continue;
    keep(stream, numbered_.back());
    make_room(max_ring_bytes, stream);
  }
  return numbered_;
}

StreamTable::Stream& StreamTable::at(const std::string& name) {
  const auto found = streams_.find(name);
  if (found != streams_.end()) return found->second;
  Stream& made = streams_[name];
  made.before = first_digest(space_, name);
  return made;
}

void StreamTable::keep(Stream& stream, const NumberedRecord& record) {
  const base::Sha256Digest& last =
      stream.records.empty() ? stream.before : stream.records.back().digest;
  stream.records.push_back({.number = record.number,
                            .time_ms = record.time_ms,
                            .digest = next_digest(*sha_, last, record.bytes),
                            .bytes = std::string(record.bytes)});
}

// The stream that has most gives first, so that a busy one does not push a quiet one out.
void StreamTable::make_room(std::uint64_t max_bytes, const Stream& latest) {
  while (bytes_ > max_bytes) {
    Stream* largest = nullptr;
    for (auto& [name, stream] : streams_) {
      const bool may_give = stream.records.size() > (&stream == &latest ? 1U : 0U);
      if (may_give && (largest == nullptr || stream.extent.bytes > largest->extent.bytes))
        largest = &stream;
    }
    if (largest == nullptr) return;
    drop_oldest(*largest);
  }
}

void StreamTable::drop_oldest(Stream& stream) {
  const StreamRecord& oldest = stream.records.front();
  const std::uint64_t bytes = record_bytes(oldest.bytes.size());
  stream.before = oldest.digest;
  stream.extent.first = oldest.number + 1;
  stream.extent.bytes -= bytes;
  bytes_ -= bytes;
  stream.records.pop_front();
}

void StreamTable::drop(const DroppedRecords& records) {
  StreamExtent& extent = streams_.find(records.stream)->second.extent;
  extent.first = records.next_first;
  extent.bytes -= records.bytes;
  bytes_ -= records.bytes;
}

void StreamTable::restore(StreamInfo info) {
  bytes_ += info.extent.bytes;
  streams_[std::move(info.name)].extent = info.extent;
}

std::vector<StreamInfo> StreamTable::list() const {
  std::vector<StreamInfo> all;
  all.reserve(streams_.size());
  for (const auto& [name, stream] : streams_) {
    all.push_back({.name = name, .extent = stream.extent});
  }
  return all;
}

StreamPage StreamTable::read(std::string_view stream, const StreamRange& range) const {
  const auto found = streams_.find(stream);
  if (found == streams_.end()) return {};
  const Stream& source = found->second;
  const auto& records = source.records;
  const RecordNumber oldest = source.extent.first;
  const RecordNumber from = first_in(
      range, source.extent, [&](RecordNumber number) { return records[number - oldest].time_ms; });
  StreamPage page{.records = {}, .before = source.before, .extent = source.extent};
  if (from > oldest) page.before = records[from - 1 - oldest].digest;
  std::uint64_t bytes = 0;
  for (RecordNumber number = from; number < source.extent.next; ++number) {
    const StreamRecord& record = records[number - oldest];
    bytes += record.bytes.size();
    const bool is_full = page.records.size() >= range.max_records || bytes > range.max_bytes;
    if (is_full && !page.records.empty()) break;
    page.records.push_back(record);
  }
  return page;
}

}  // namespace helios::kv
