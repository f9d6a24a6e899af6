// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a name stands for while changes of it are still on their way through the server: prepared
// statements by name, portals by name. Changes are noted in the order in which they are forwarded, and
// settled, again in that order, when the server has acknowledged or skipped them.
//
// Units: what the server skips together when something in it fails: everything up to a Sync, or up to
// the end of a Query. Inside one unit a change may be relied on although it is not settled: if it
// fails, what relies on it is skipped too. Across units it may not.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helios::session {

// A change that waits to be settled; 0 = none.
using NameTicket = std::uint64_t;

// What one statement, or one message, changes.
struct NameChanges {
  NameTicket statement = 0;
  NameTicket portal = 0;
  [[nodiscard]] bool empty() const { return statement == 0 && portal == 0; }
};

// T has held_bytes(). Thread rule: the session's.
template <typename T>
class NameLog {
 public:
  using Value = std::shared_ptr<T>;
  // Told of a value that its name no longer stands for.
  using Dropped = std::function<void(const Value&)>;

  // `all_are_named`: what ends all names leaves what stands under the empty one.
  explicit NameLog(bool all_are_named, Dropped on_dropped = {})
      : all_are_named_(all_are_named), on_dropped_(std::move(on_dropped)) {}

  struct Found {
    // False: an unsettled change of another unit decides; ask again when the server has answered.
    bool is_certain = true;
    Value value;  // null: the name stands for nothing that is known
  };
  [[nodiscard]] Found find(std::string_view name, std::uint64_t unit) const {
    for (auto change = pending_.rbegin(); change != rend(); ++change) {
      if (change->is_all ? all_are_named_ && name.empty() : change->name != name) continue;
      return {change->unit == unit, change->value};
    }
    if (name.empty()) return {true, unnamed_};
    const auto found = settled_.find(name);
    return {true, found == settled_.end() ? nullptr : found->second};
  }

  // The name stands for something, settled or not.
  [[nodiscard]] bool has(std::string_view name) const { return find(name, 0).value != nullptr; }

  // The name is to stand for `value`; null: for nothing any more.
  NameTicket define(std::string_view name, Value value, std::uint64_t unit) {
    pending_.push_back({++last_ticket_, unit, false, std::string(name), std::move(value)});
    bytes_ += bytes_of(pending_.back().name, pending_.back().value);
    return last_ticket_;
  }
  // All names are to stand for nothing any more.
  NameTicket end_all(std::uint64_t unit) {
    pending_.push_back({++last_ticket_, unit, true, {}, nullptr});
    bytes_ += bytes_of({}, nullptr);
    return last_ticket_;
  }

  // The server did it, or did not. A ticket that is settled already, or 0, is ignored.
  void settle(NameTicket ticket, bool is_done) {
    if (ticket == 0) return;
    for (auto change = first(); change != pending_.end(); ++change) {
      if (change->ticket != ticket) continue;
      Change settled = std::move(*change);
      remove(change);
      bytes_ -= bytes_of(settled.name, settled.value);
      if (is_done) apply(std::move(settled));
      return;
    }
  }

  // Nothing is known any more, not even what changes on their way will do.
  void forget() {
    clear_settled();
    for (auto change = first(); change != pending_.end(); ++change) {
      bytes_ -= bytes_of(change->name, change->value);
    }
    pending_.clear();
    first_ = 0;
  }

  // What is settled stands for nothing any more, but for what is to be kept.
  template <typename Keep>
  void clear_settled(Keep is_kept) {
    if (unnamed_ && !is_kept(unnamed_)) end_unnamed();
    clear_named(is_kept);
  }
  template <typename Keep>
  void clear_named(Keep is_kept) {
    std::erase_if(settled_, [&](const auto& entry) {
      if (is_kept(entry.second)) return false;
      drop(entry.first, entry.second);
      return true;
    });
  }
  void clear_settled() {
    clear_settled([](const Value&) { return false; });
  }

  [[nodiscard]] std::size_t size() const {
    return settled_.size() + (unnamed_ ? 1 : 0) + pending();
  }
  [[nodiscard]] std::size_t pending() const {
    return pending_.size() - static_cast<std::size_t>(first_);
  }
  // About what it takes.
  [[nodiscard]] std::size_t held_bytes() const { return bytes_; }

  // Some value that a name stands for, or is to stand for, is such a one.
  template <typename Test>
  [[nodiscard]] bool any_of(Test test) const {
    if (unnamed_ && test(*unnamed_)) return true;
    for (const auto& [name, value] : settled_) {
      if (test(*value)) return true;
    }
    for (auto change = pending_.rbegin(); change != rend(); ++change) {
      if (change->value && test(*change->value)) return true;
    }
    return false;
  }

  template <typename Visit>
  void for_each_settled(Visit visit) {
    if (unnamed_) visit(unnamed_);
    for (auto& [name, value] : settled_) visit(value);
  }

 private:
  struct Change {
    NameTicket ticket = 0;
    std::uint64_t unit = 0;
    bool is_all = false;
    std::string name;
    Value value;
  };

  [[nodiscard]] auto first() { return pending_.begin() + first_; }
  [[nodiscard]] auto rend() const { return pending_.rend() - first_; }

  // Mostly the first one. What it leaves behind is used again by the next.
  void remove(typename std::vector<Change>::iterator change) {
    constexpr std::size_t kKeptCapacity = 16;
    if (change != first()) {
      pending_.erase(change);
    } else if (static_cast<std::size_t>(++first_) == pending_.size()) {
      first_ = 0;
      pending_.clear();
      if (pending_.capacity() > kKeptCapacity) pending_.shrink_to_fit();
    } else if (static_cast<std::size_t>(first_) > pending_.size() / 2) {
      pending_.erase(pending_.begin(), first());
      first_ = 0;
    }
  }

  static std::size_t bytes_of(std::string_view name, const Value& value) {
    constexpr std::size_t kNodeBytes = 96;  // links, a string object, two pointers
    return kNodeBytes + name.size() + (value ? value->held_bytes() : 0);
  }

  void drop(std::string_view name, const Value& value) {
    bytes_ -= bytes_of(name, value);
    if (on_dropped_) on_dropped_(value);
  }

  void end_unnamed() {
    drop({}, unnamed_);
    unnamed_ = nullptr;
  }

  void apply_unnamed(Value value) {
    if (unnamed_) end_unnamed();
    if (value) bytes_ += bytes_of({}, value);
    unnamed_ = std::move(value);
  }

  void apply(Change&& change) {
    if (change.is_all)
      return all_are_named_ ? clear_named([](const Value&) { return false; }) : clear_settled();
    if (change.name.empty()) return apply_unnamed(std::move(change.value));
    const auto found = settled_.find(change.name);
    if (found != settled_.end()) drop(change.name, found->second);
    if (!change.value) {
      if (found != settled_.end()) settled_.erase(found);
      return;
    }
    bytes_ += bytes_of(change.name, change.value);
    if (found != settled_.end()) {
      found->second = std::move(change.value);
    } else {
      settled_.emplace(std::move(change.name), std::move(change.value));
    }
  }

  const bool all_are_named_;
  Dropped on_dropped_;
  std::map<std::string, Value, std::less<>> settled_;
  Value
      unnamed_;  // settled too: drivers use it again and again, and a node of the map would come and go
  std::vector<Change> pending_;
  std::ptrdiff_t first_ = 0;  // changes before it are settled
  NameTicket last_ticket_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace helios::session
