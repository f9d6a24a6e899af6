// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_chain.hpp"

#include "base/sha256.hpp"
#include "cli/json_answer.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace helios::cli {
namespace {

constexpr std::string_view kHeadKey = "head";
constexpr std::string_view kReserveKey = "reserve";
constexpr std::string_view kRecordPrefix = "rec:";
constexpr std::size_t kKeyDigits = 16;
constexpr std::string_view kHexDigits = "0123456789abcdef";

std::string sha256_hex(std::string_view bytes) {
  base::Sha256 sha;
  sha.update(bytes);
  return base::to_hex(sha.finish());
}

bool is_hash(std::string_view text) {
  return text.size() == base::kSha256HexBytes &&
         text.find_first_not_of(kHexDigits) == std::string_view::npos;
}

std::optional<std::int64_t> parse_seq(std::string_view text, int base) {
  std::int64_t seq = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seq, base);
  if (error != std::errc() || end != text.data() + text.size() || seq < 0) return std::nullopt;
  return seq;
}

std::string named(std::int64_t seq) { return "record " + std::to_string(seq); }

std::unexpected<base::Error> broken(std::string what) {
  return base::fail(base::Errc::invalid, std::move(what));
}

}  // namespace

base::Result<ChainLink> parse_link(std::string_view text) {
  const auto colon = text.find(':');
  const auto seq = parse_seq(text.substr(0, colon), 10);
  if (!seq || colon == std::string_view::npos || !is_hash(text.substr(colon + 1)))
    return base::fail(base::Errc::invalid,
                      "expected NUMBER:SHA256, as `heliosproxy audit head` prints it");
  return ChainLink{*seq, std::string(text.substr(colon + 1))};
}

std::string format_link(const ChainLink& link) {
  return std::to_string(link.seq) + ':' + link.hash;
}

ChainVerifier::ChainVerifier(ChainLink start) : last_(std::move(start)) {}

base::Result<void> ChainVerifier::expect(const ChainLink& anchor) {
  if (anchor.seq < last_.seq || (anchor.seq == last_.seq && anchor.hash != last_.hash))
    return broken("the anchor " + format_link(anchor) + " lies before the chain's first record");
  const auto [at, is_new] = anchors_.emplace(anchor.seq, anchor.hash);
  if (!is_new && at->second != anchor.hash)
    return broken("two anchors for " + named(anchor.seq) + " contradict each other");
  return {};
}

base::Result<void> ChainVerifier::add(std::string_view key, std::string_view value) {
  if (key == kHeadKey) return set_head(value);
  if (key == kReserveKey) return {};  // room that the plugin holds ready, no part of the chain
  const bool is_record = key.starts_with(kRecordPrefix);
  const std::string_view digits = is_record ? key.substr(kRecordPrefix.size()) : key;
  const std::int64_t seq = parse_seq(digits, 16).value_or(-1);
  const bool is_canonical =
      digits.size() == kKeyDigits && digits.find_first_not_of(kHexDigits) == std::string_view::npos;
  if (!is_record || seq < 0 || !is_canonical)
    return broken("there is a key that no chain has: " + std::string(key));
  return add_record(seq, value);
}

base::Result<void> ChainVerifier::set_head(std::string_view value) {
  const auto object = parse_object(value);
  const std::int64_t seq = object ? number_of(*object, "seq").value_or(0) : 0;
  const std::string hash = object ? text_of(*object, "sha256") : std::string();
  if (seq < 1 || !is_hash(hash)) return broken("the head cannot be read: it was edited");
  head_ = ChainLink{seq, hash};
  return expect(*head_);
}

base::Result<void> ChainVerifier::add_record(std::int64_t seq, std::string_view value) {
  if (seq != last_.seq + 1) {
    if (seq <= last_.seq) return broken(named(seq) + " comes after " + named(last_.seq));
    return broken(named(last_.seq + 1) + " is missing: what follows " + named(last_.seq) + " is " +
                  named(seq));
  }
  const auto object = parse_object(value);
  if (!object) return broken(named(seq) + " " + object.error().message + ": it was edited");
  const auto said = number_of(*object, "seq");
  if (said != seq)
    return broken(named(seq) + " says that it is " + (said ? named(*said) : "none") +
                  ": it was edited, or exchanged with another");
  if (text_of(*object, "prev") != last_.hash)
    return broken(named(last_.seq) + " is not what " + named(seq) +
                  " continues: one of the two was edited");
  last_ = ChainLink{seq, sha256_hex(value)};
  return check_anchor(last_);
}

base::Result<void> ChainVerifier::check_anchor(const ChainLink& link) const {
  const auto anchor = anchors_.find(link.seq);
  if (anchor == anchors_.end() || anchor->second == link.hash) return {};
  const bool is_head = head_ && head_->seq == link.seq;
  return broken(named(link.seq) + " is not the one that " + (is_head ? "the head" : "the anchor") +
                " names: it was edited, or the chain made anew");
}

base::Result<ChainLink> ChainVerifier::finish() const {
  if (!head_ && last_.seq != 0) return broken("there is no head");
  if (!anchors_.empty() && anchors_.rbegin()->first > last_.seq)
    return broken(named(last_.seq + 1) + " is missing: " + named(anchors_.rbegin()->first) +
                  " is known to have been there");
  return last_;
}

}  // namespace helios::cli
