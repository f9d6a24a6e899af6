// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who is blocked. BlockList is what an operator changes; BlockSet is what it says at one moment, which never changes and
// which everybody may read.
//
// There is no I/O and no clock here: whoever owns the list gives each worker the new set when it has changed, and says
// what time it is.

#include "blocks/block.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace helios::blocks {

inline constexpr std::size_t kMaxBlocks = 1'000;

// Who somebody is. Empty: not known, or none; that is never blocked.
struct Names {
  std::string_view user = {};
  std::string_view database = {};
  std::string_view tenant = {};
  std::string_view agent = {};
};

// Thread rule: immutable. Looking something up allocates nothing.
class BlockSet {
 public:
  // The block that somebody of these names meets, in the order of Kind; null: none. Lives as long as the set.
  [[nodiscard]] const Block* find(const Names& names) const;
  [[nodiscard]] const Block* find(Kind kind, std::string_view name) const;
  [[nodiscard]] std::size_t count(Kind kind) const { return of(kind).size(); }
  [[nodiscard]] std::size_t size() const;
  // A tenant or an agent is blocked: those change while a session lives, so its statements have to be looked at.
  [[nodiscard]] bool concerns_statements() const {
    return count(Kind::tenant) + count(Kind::agent) != 0;
  }
  // By kind, then by name.
  [[nodiscard]] std::vector<Block> all() const;
  // Sets that one list has given away have different numbers, from 1.
  [[nodiscard]] std::uint64_t number() const { return number_; }

 private:
  friend class BlockList;
  using ByName = std::map<std::string, Block, std::less<>>;

  [[nodiscard]] const ByName& of(Kind kind) const {
    return by_kind_[static_cast<std::size_t>(kind)];
  }
  [[nodiscard]] ByName& of(Kind kind) { return by_kind_[static_cast<std::size_t>(kind)]; }

  std::array<ByName, kKinds.size()> by_kind_;
  std::uint64_t number_ = 0;
};

// Null: nobody is blocked, which is what it costs least to ask.
using SharedBlockSet = std::shared_ptr<const BlockSet>;

// Thread rule: one thread.
class BlockList {
 public:
  // Adds a block, or puts it in the place of the one with its name. Errors: those of check(); limit_exceeded, when there
  // are kMaxBlocks others.
  [[nodiscard]] base::Result<void> put(Block block);
  // The block, as it was put, is on disk by now. Does nothing if another one has taken its place.
  void note_kept(const Block& block);
  // False: there is none.
  bool remove(Kind kind, std::string_view name);
  // Takes out those whose time is over, and returns them.
  std::vector<Block> remove_expired(std::int64_t now_ms);
  // When the next one is over; nullopt: none will be.
  [[nodiscard]] std::optional<std::int64_t> next_expiry_ms() const;

  [[nodiscard]] const BlockSet& now() const { return set_; }
  // A copy, for others.
  [[nodiscard]] SharedBlockSet snapshot();

 private:
  BlockSet set_;
};

}  // namespace helios::blocks
