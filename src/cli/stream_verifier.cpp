// SPDX-License-Identifier: Apache-2.0
#include "cli/stream_verifier.hpp"

namespace helios::cli {
namespace {

std::unexpected<base::Error> wrong(kv::RecordNumber number, std::string_view what) {
  return base::fail(base::Errc::invalid,
                    "record " + std::to_string(number) + ": " + std::string(what));
}

}  // namespace

base::Result<void> StreamVerifier::begin(const kv::StreamPage& page) {
  first_ = page.records.front().number;
  before_ = page.before;
  last_ = first_ - 1;
  last_time_ms_ = page.records.front().time_ms;
  last_digest_ = page.before;
  if (first_ == 1 && before_ != first_digest_)
    return wrong(1, "it does not follow what a stream of this namespace and name begins with");
  return {};
}

base::Result<void> StreamVerifier::add(const kv::StreamPage& page) {
  if (page.records.empty()) return {};
  if (count_ == 0) {
    if (auto begun = begin(page); !begun) return begun;
  }
  if (page.records.front().number == last_ + 1 && page.before != last_digest_)
    return wrong(last_ + 1, "it does not follow the digest of record " + std::to_string(last_));
  for (const kv::StreamRecord& record : page.records) {
    if (auto added = add_record(record); !added) return added;
  }
  return {};
}

base::Result<void> StreamVerifier::add_record(const kv::StreamRecord& record) {
  if (record.number != last_ + 1)
    return wrong(last_ + 1,
                 "it is missing: record " + std::to_string(record.number) + " stands in its place");
  if (record.time_ms < last_time_ms_)
    return wrong(record.number, "its time is before that of the record before it");
  if (kv::next_digest(sha_, last_digest_, record.bytes) != record.digest)
    return wrong(record.number,
                 "its digest is not that of the record before it and of its own bytes");
  last_ = record.number;
  last_time_ms_ = record.time_ms;
  last_digest_ = record.digest;
  ++count_;
  return {};
}

base::Result<void> StreamVerifier::finish(const kv::StreamExtent& extent) const {
  if (count_ == 0 && extent.first != extent.next)
    return wrong(extent.first, "it is missing, and all behind it");
  if (count_ != 0 && last_ + 1 < extent.next)
    return wrong(last_ + 1, "it is missing, and all behind it");
  return {};
}

std::string StreamVerifier::summary() const {
  if (count_ == 0) return "0 records";
  std::string text = std::to_string(count_) + " records, " + std::to_string(first_) + " to " +
                     std::to_string(last_) + ", none changed, missing or out of place; ";
  if (first_ != 1) text += "the first follows " + base::to_hex(before_) + ", ";
  return text + "the last digest is " + base::to_hex(last_digest_);
}

}  // namespace helios::cli
