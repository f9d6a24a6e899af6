// SPDX-License-Identifier: Apache-2.0
#include "session/conversation.hpp"

#include <memory>
#include <utility>

// How a client's messages are given up, one or all of them.

namespace helios::session {

void Conversation::say_farewell(std::string_view sqlstate, std::string message) {
  farewell_ = std::make_unique<Farewell>(std::string(sqlstate), std::move(message));
  input_.bytes.clear();
}

bool Conversation::is_farewell_due() const {
  return farewell_ && context_.link->owed().empty() && context_.held_ready.empty() &&
         is_through() && !context_.link->is_amid_message();
}

// Unless a message in front of it is still to be answered to its end.
bool Conversation::cancel() {
  if (!judge_.pending() || context_.link->owed().awaits_ready()) return false;
  judge_.cancel();
  return true;
}

void Conversation::give_up() {
  present_.drop();
  extended_.drop();
  if (judge_.busy()) judge_.cancel();
}

}  // namespace helios::session
