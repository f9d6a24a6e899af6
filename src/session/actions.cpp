// SPDX-License-Identifier: Apache-2.0
#include "session/actions.hpp"

namespace helios::session {

void Actions::clear() {
  register_cancel_key.reset();
  deliver_cancel.reset();
  send_cancel = false;
  send_cap_cancel = false;
  encrypt_client.reset();
  to_client.clear();
  to_server.clear();
  finish_server = false;
  close_client = false;
}

}  // namespace helios::session
