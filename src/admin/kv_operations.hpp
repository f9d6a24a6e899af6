// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads and changes of the store as transactions that may take their time: a commit or a fetch that
// is pending continues on the home executor, a conflict is tried again.
//
// Thread rule: started on the home executor's thread, where the callback is called too, possibly
// before the start returns. Lifetime: the store outlives every operation.

#include "admin/message.hpp"
#include "admin/preconditions.hpp"
#include "base/executor.hpp"
#include "kv/store.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace helios::admin {

class Control;

struct KvContext {
  kv::Store* store = nullptr;
  std::shared_ptr<base::Executor> home;
  StartId start = 0;           // in every entity tag
  Control* control = nullptr;  // who has the plugins asked; null: none runs
};

struct FoundValue {
  std::string value;
  kv::Version version = kv::kAbsent;
};

// The value found, or nullopt when there is none.
using OnValue = std::move_only_function<void(std::optional<FoundValue>)>;

// Reads `key`; `found` gets the result, unless the read fails: then `failed` is sent the reason.
// Exactly one of both is called.
void start_read(const KvContext& context, kv::Namespace& space, std::string key, OnValue found,
                Responder failed);

// What becomes of a key.
struct SetValue {
  std::string value;
  kv::ExpiryMs expires_at_ms = kv::kNeverExpires;
};
struct Remove {};
// Adds to a counter, which is made at 0: 8 bytes, little-endian, as kv_incr of the plugins has it.
struct Increment {
  std::int64_t by = 0;
  kv::ExpiryMs expires_at_ms = kv::kNeverExpires;  // of a counter that this makes
  std::optional<kv::Version> only_if = {};  // the key has this version; kAbsent: is not there
};

// What `present` becomes when `by` is added. Errors: invalid (it is no counter, or the sum does not fit).
[[nodiscard]] base::Result<std::int64_t> counter_sum(const std::optional<FoundValue>& present,
                                                     std::int64_t by);
[[nodiscard]] std::string counter_bytes(std::int64_t value);

struct Edit {
  std::string key;
  Preconditions preconditions;
  std::variant<SetValue, Remove, Increment> change;
};

// Makes the change and answers: 200, 409 (Increment of what is no counter, or beyond 64 bits), 412 (a
// precondition does not hold, or `only_if`), 413 (key or value too large), 507 (a quota is used up), 503 (the store
// is broken or too busy). The answer to an Increment has the new value.
void start_edit(const KvContext& context, kv::Namespace& space, Edit edit, Responder respond);

// Removes every key that begins with `prefix`, some at a time, and answers with their number: 200
// {"ok":true,"deleted":2}; or 503, when some may be gone already.
void start_purge(const KvContext& context, kv::Namespace& space, std::string prefix,
                 Responder respond);

}  // namespace helios::admin
