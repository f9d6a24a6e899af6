// SPDX-License-Identifier: Apache-2.0
#include "cli/trail_anchors.hpp"

#include "anchors/anchor.hpp"
#include "base/sha256.hpp"

#include <utility>

namespace helios::cli {
namespace {

std::unexpected<base::Error> wrong(std::int64_t number, std::string_view what) {
  return base::fail(base::Errc::invalid,
                    "record " + std::to_string(number) + ": " + std::string(what));
}

}  // namespace

base::Result<void> TrailAnchors::expect(const ChainLink& anchor) {
  const auto [at, is_new] = hashes_.emplace(anchor.seq, anchor.hash);
  if (is_new || at->second == anchor.hash) return {};
  return wrong(anchor.seq, "two anchors contradict each other");
}

base::Result<void> TrailAnchors::expect_lines(std::istream& in, const std::string& file,
                                              std::string_view space, std::string_view stream) {
  std::size_t taken = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) continue;
    const auto anchor = anchors::parse_line(line);
    if (!anchor) {
      ++unreadable_;
      continue;
    }
    if (anchor->stream != anchors::StreamId{std::string(space), std::string(stream)}) continue;
    ++taken;
    if (auto expected = expect({static_cast<std::int64_t>(anchor->number), anchor->sha256});
        !expected)
      return expected;
  }
  if (taken != 0) return {};
  return base::fail(base::Errc::not_found,
                    file + ": has no anchor of " + std::string(space) + "/" + std::string(stream));
}

base::Result<void> TrailAnchors::check(const kv::StreamRecord& record) {
  if (hashes_.empty()) return {};
  const auto number = static_cast<std::int64_t>(record.number);
  const auto anchor = hashes_.find(number);
  if (anchor == hashes_.end()) return {};
  if (anchor->second != base::to_hex(record.digest))
    return wrong(number, "it is not the one that the anchor names: the trail was made anew");
  ++met_;
  return {};
}

base::Result<void> TrailAnchors::finish(std::int64_t newest) const {
  if (hashes_.empty()) return {};
  if (hashes_.rbegin()->first > newest)
    return wrong(hashes_.rbegin()->first, "it is missing: an anchor names it");
  if (met_ != 0) return {};
  return base::fail(base::Errc::invalid,
                    "none of the records is there that anchors name: all of them, up to record " +
                        std::to_string(hashes_.rbegin()->first) + ", were removed");
}

std::string TrailAnchors::summary() const {
  if (hashes_.empty()) return {};
  const std::size_t before = hashes_.size() - met_;
  std::string text = std::to_string(met_) + " anchors, each as it says";
  if (before != 0)
    text += "; " + std::to_string(before) + " name records before the first that is there";
  if (unreadable_ != 0)
    text += "; " + std::to_string(unreadable_) + " lines of the file are no anchors";
  return text + "\n";
}

}  // namespace helios::cli
