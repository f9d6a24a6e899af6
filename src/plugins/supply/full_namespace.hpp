// SPDX-License-Identifier: Apache-2.0
#pragma once

// Writes that a limit of the store refused: which limit that was, for people, and whether a namespace is full.
// A plugin that cannot write refuses statements, or traps, for reasons of its own; here is the real one.

#include "kv/store.hpp"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace helios::plugins {

struct RefusedWrite {
  std::string_view operation;  // the import; static storage
  kv::WriteStatus status = kv::WriteStatus::ok;
  std::uint64_t bytes = 0;  // of the entry, as limits count them
};

// The limit that stands in the way of one more entry of `bytes`, by its key and with its value:
// "it has 100 keys, [kv] max_keys_per_namespace = 100". Nullopt: there is room.
[[nodiscard]] std::optional<std::string> limit_reached(kv::Store& store, kv::Namespace& space,
                                                       std::uint64_t bytes);

// "kv_set was refused: the namespace is full: ...".
[[nodiscard]] std::string to_text(const RefusedWrite& write, kv::Store& store,
                                  kv::Namespace& space);

// Of one namespace. It is full from the first write that was refused for that until there is room for as
// much again. Thread rule: any thread.
class FullNamespace {
 public:
  // Returns true when a line is due: once in a minute.
  bool note_refused(std::uint64_t bytes, std::int64_t now_ns);

  // Why it is full; nullopt when it is not. One atomic load where nothing was ever refused.
  [[nodiscard]] std::optional<std::string> reason(kv::Store& store, kv::Namespace& space) const;

 private:
  mutable std::atomic<std::uint64_t> refused_bytes_ = 0;  // of the last one; 0: none
  std::mutex mutex_;                                      // guards what follows
  std::int64_t logged_at_ns_ = INT64_MIN;
};

}  // namespace helios::plugins
