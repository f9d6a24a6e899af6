// SPDX-License-Identifier: Apache-2.0
#pragma once

// Single reads and writes of the store as transactions that may take their time: a commit or a fetch
// that is pending continues on the home executor, a conflict is tried again.
//
// Thread rule: started on the home executor's thread, where the callback is called too, possibly
// before the start returns. Lifetime: the store outlives every operation.

#include "admin/message.hpp"
#include "base/executor.hpp"
#include "kv/store.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace helios::admin {

struct KvContext {
  kv::Store* store = nullptr;
  std::shared_ptr<base::Executor> home;
};

// The value found, or nullopt when there is none.
using OnValue = std::move_only_function<void(std::optional<std::string>)>;

// Reads `key`; `found` gets the result, unless the read fails: then `failed` is sent the reason.
// Exactly one of both is called.
void start_read(const KvContext& context, kv::Namespace& space, std::string key, OnValue found,
                Responder failed);

// Sets `key` to `value`, or deletes it when there is none, and answers: 200, 413 (key or value too
// large), 507 (a quota is used up), 503 (the store is broken or too busy).
void start_write(const KvContext& context, kv::Namespace& space, std::string key,
                 std::optional<std::string> value, Responder respond);

}  // namespace helios::admin
