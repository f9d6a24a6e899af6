// SPDX-License-Identifier: Apache-2.0
#include "blocks/block_list.hpp"

#include <algorithm>
#include <utility>

namespace helios::blocks {

const Block* BlockSet::find(Kind kind, std::string_view name) const {
  const ByName& blocks = of(kind);
  const auto found = blocks.find(name);
  return found == blocks.end() ? nullptr : &found->second;
}

const Block* BlockSet::find(const Names& names) const {
  for (const auto& [kind, name] :
       {std::pair(Kind::user, names.user), std::pair(Kind::database, names.database),
        std::pair(Kind::tenant, names.tenant), std::pair(Kind::agent, names.agent)}) {
    const Block* block = name.empty() ? nullptr : find(kind, name);
    if (block != nullptr) return block;
  }
  return nullptr;
}

std::size_t BlockSet::size() const {
  std::size_t size = 0;
  for (const ByName& blocks : by_kind_) size += blocks.size();
  return size;
}

std::vector<Block> BlockSet::all() const {
  std::vector<Block> result;
  for (const ByName& blocks : by_kind_) {
    for (const auto& [name, block] : blocks) result.push_back(block);
  }
  return result;
}

base::Result<void> BlockList::put(Block block) {
  if (auto checked = check(block); !checked) return checked;
  auto& blocks = set_.of(block.kind);
  if (set_.size() >= kMaxBlocks && !blocks.contains(block.name)) {
    return base::fail(base::Errc::limit_exceeded,
                      "there are " + std::to_string(kMaxBlocks) + " blocks, which is the most");
  }
  std::string name = block.name;
  blocks.insert_or_assign(std::move(name), std::move(block));
  return {};
}

void BlockList::note_kept(const Block& block) {
  auto& blocks = set_.of(block.kind);
  const auto found = blocks.find(block.name);
  if (found != blocks.end() && found->second == block) found->second.is_kept = true;
}

bool BlockList::remove(Kind kind, std::string_view name) {
  auto& blocks = set_.of(kind);
  const auto found = blocks.find(name);
  if (found == blocks.end()) return false;
  blocks.erase(found);
  return true;
}

std::vector<Block> BlockList::remove_expired(std::int64_t now_ms) {
  std::vector<Block> over;
  for (auto& blocks : set_.by_kind_) {
    std::erase_if(blocks, [&](auto& entry) {
      if (!entry.second.is_over(now_ms)) return false;
      over.push_back(std::move(entry.second));
      return true;
    });
  }
  return over;
}

std::optional<std::int64_t> BlockList::next_expiry_ms() const {
  std::optional<std::int64_t> next;
  for (const auto& blocks : set_.by_kind_) {
    for (const auto& [name, block] : blocks) {
      if (block.expires_at_ms == kNeverOver) continue;
      next = std::min(next.value_or(block.expires_at_ms), block.expires_at_ms);
    }
  }
  return next;
}

SharedBlockSet BlockList::snapshot() {
  ++set_.number_;
  return set_.size() == 0 ? nullptr : std::make_shared<const BlockSet>(set_);
}

}  // namespace helios::blocks
