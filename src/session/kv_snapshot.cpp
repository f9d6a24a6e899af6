// SPDX-License-Identifier: Apache-2.0
#include "session/kv_snapshot.hpp"

#include "kv/namespace_name.hpp"

#include <algorithm>
#include <limits>

namespace helios::session {
namespace {

// Of all keys that begin with a key, the key itself comes first.
kv::ScanRange range_of(const sql::KvCall& call, std::uint64_t max_bytes) {
  kv::ScanRange range;
  range.max_bytes = max_bytes;
  range.max_items = std::numeric_limits<std::uint64_t>::max();
  if (call.arguments.size() == 2 && call.arguments[1].constant) {
    range.prefix = *call.arguments[1].constant;
    range.max_items = 1;
  }
  return range;
}

}  // namespace

base::Result<KvSnapshot> KvSnapshot::read(std::span<const sql::KvCall> calls, kv::Store& store,
                                          std::uint64_t max_bytes) {
  KvSnapshot snapshot;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const kv::ScanRange range = range_of(calls[i], max_bytes);
    if (calls[i].arguments.empty() || !calls[i].arguments[0].constant) {
      for (kv::Namespace* space : store.namespaces()) snapshot.ask(*space, i, range);
      continue;
    }
    const auto name = kv::namespace_name(*calls[i].arguments[0].constant);
    if (!name) return std::unexpected(name.error());
    if (kv::Namespace* space = store.find(*name)) snapshot.ask(*space, i, range);
  }
  for (Space& each : snapshot.spaces_) each.pages = store.scan_ranges(*each.space, each.ranges);
  return snapshot;
}

void KvSnapshot::ask(kv::Namespace& space, std::size_t call, const kv::ScanRange& range) {
  auto found = std::ranges::find(spaces_, &space, &Space::space);
  if (found == spaces_.end()) {
    spaces_.push_back({.space = &space, .ranges = {}, .calls = {}, .pages = {}});
    found = std::prev(spaces_.end());
  }
  found->ranges.push_back(range);
  found->calls.push_back(call);
}

std::vector<KvSnapshot::Part> KvSnapshot::parts_of(std::size_t call) const {
  std::vector<Part> parts;
  for (const Space& each : spaces_) {
    for (std::size_t i = 0; i < each.calls.size(); ++i) {
      if (each.calls[i] == call) parts.push_back({each.space->name(), &each.pages[i]});
    }
  }
  return parts;
}

}  // namespace helios::session
