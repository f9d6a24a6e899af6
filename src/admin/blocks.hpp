// SPDX-License-Identifier: Apache-2.0
#pragma once

// /blocks: who is blocked, and PUT and DELETE of /blocks/{kind}/{name}, which change that.
//
// {kind} is "user", "database", "tenant" or "agent"; {name} is everything behind the next slash, percent-encoded where
// that is needed, and may be any bytes. Whoever changes something needs a token with the scope `write` that is not limited
// to namespaces; whoever reads, one with `read`. docs/admin-api.md describes every answer.

#include "admin/control.hpp"
#include "admin/message.hpp"
#include "admin/tokens.hpp"
#include "base/executor.hpp"

#include <memory>
#include <span>
#include <string>

namespace helios::admin {

// {"blocks":[..]}
[[nodiscard]] std::string blocks_json(std::span<const blocks::Block> blocks);

// PUT and DELETE. `home` is where the answer is given, once; it lives until then. Requires: the target's path is below
// "/blocks/"; called on `home`'s thread.
void handle_block(Control& control, const std::shared_ptr<base::Executor>& home,
                  const Request& request, const Grant& grant, Responder respond);

}  // namespace helios::admin
