// SPDX-License-Identifier: Apache-2.0
#pragma once

// /admin/kv/{plugin}/{key}: the keys of the plugins, read and written by people and scripts.
//
// The plugin is any spelling of its name (kv/namespace_name.hpp); the key is everything after the
// slash that follows it, raw or percent-encoded, up to a '?'. Keys and values are bytes: where JSON
// cannot hold them, a field of another name appears instead ("value_base64", "key_percent_encoded",
// "keys_percent_encoded"), so a client never takes an encoded form for the real one. Query
// parameters that a route does not know are refused: a '?' that was meant to be part of a key would
// otherwise write another key.
//
// Only PUT and POST make a namespace, and only where the request says that this is meant. What a PUT wants to set is judged by the
// plugin whose namespace it is, where one is loaded that judges (write_admission.hpp). docs/admin-api.md describes every answer.

#include "admin/kv_operations.hpp"
#include "admin/message.hpp"
#include "admin/tokens.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace helios::admin {

class KvRoutes {
 public:
  explicit KvRoutes(KvContext context) : context_(std::move(context)) {}

  // The namespace that a target is about; empty: it names none.
  [[nodiscard]] static std::string namespace_of(std::string_view target);

  // Does what `grant` allows. Requires: the target's path begins with "/admin/kv". Thread rule: the
  // home executor's thread.
  void handle(Request request, const Grant& grant, Responder respond);

 private:
  KvContext context_;
};

}  // namespace helios::admin
