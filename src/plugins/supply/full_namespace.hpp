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
  std::string_view operation = {};  // the import; static storage
  kv::WriteStatus status = kv::WriteStatus::ok;
  std::uint64_t bytes = 0;  // of the entry or record, as limits count them
  bool is_record = false;   // of a stream
};

// The limit that stands in the way of one more entry or record like this one, by its key and with its value:
// "its keys are 100, [kv] max_keys_per_namespace = 100". Nullopt: there is room.
[[nodiscard]] std::optional<std::string> limit_reached(kv::Store& store, kv::Namespace& space,
                                                       const RefusedWrite& write);

// "kv_set was refused: the namespace is full: ...".
[[nodiscard]] std::string to_text(const RefusedWrite& write, kv::Store& store,
                                  kv::Namespace& space);

// Of one namespace. It is full from the first write that was refused for that until there is room for as
// much again, of entries or of records. Thread rule: any thread.
class FullNamespace {
 public:
  // Returns true when a line is due: once in a minute.
  bool note_refused(const RefusedWrite& write, std::int64_t now_ns);

  // Why it is full; nullopt when it is not. Two atomic loads where nothing was ever refused.
  [[nodiscard]] std::optional<std::string> reason(kv::Store& store, kv::Namespace& space) const;

 private:
  using Bytes = std::atomic<std::uint64_t>;
  static std::optional<std::string> reason(kv::Store& store, kv::Namespace& space, Bytes& refused,
                                           bool is_record);

  mutable Bytes refused_entry_ = 0;   // bytes of the last one; 0: none
  mutable Bytes refused_record_ = 0;  // the same
  std::mutex mutex_;                  // guards what follows
  std::int64_t logged_at_ns_ = INT64_MIN;
};

}  // namespace helios::plugins
