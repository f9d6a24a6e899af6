// SPDX-License-Identifier: Apache-2.0
#pragma once

// /admin/streams/{plugin}: the streams of a namespace (kv/stream.hpp) and their records, to be read. Nobody
// changes or removes a record, so other methods are refused with 405.
//
// The plugin is any spelling of its name (kv/namespace_name.hpp). What does not exist is 404: unlike a key, a
// stream that was asked for in vain is a wrong name more often than an empty stream.
//
// Reading records may wait for a disk, so it runs on an executor of its own; the answer is made there as well,
// and given on the home executor's thread.

#include "admin/message.hpp"
#include "admin/tokens.hpp"
#include "base/executor.hpp"
#include "kv/store.hpp"

#include <memory>
#include <string_view>
#include <utility>

namespace helios::admin {

inline constexpr std::string_view kStreamsRoot = "/admin/streams";

// Lifetime: `store` and `reader` outlive every answer that is still due; what waits on `reader` when that ends is
// not answered.
struct StreamContext {
  kv::Store* store = nullptr;
  std::shared_ptr<base::Executor> home;
  base::Executor* reader = nullptr;  // whose threads may wait
};

class StreamRoutes {
 public:
  explicit StreamRoutes(StreamContext context) : context_(std::move(context)) {}

  // Does what `grant` allows. Requires: the target's path begins with kStreamsRoot. Thread rule: the home
  // executor's thread.
  void handle(const Request& request, const Grant& grant, Responder respond);

 private:
  StreamContext context_;
};

}  // namespace helios::admin
