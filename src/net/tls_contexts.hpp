// SPDX-License-Identifier: Apache-2.0
#pragma once

// The TLS of both legs, as a reload makes it anew.

#include "tls/client_context.hpp"
#include "tls/server_context.hpp"

namespace helios::net {

struct TlsContexts {
  tls::SharedServerContext clients = {};  // null: clients get none
  tls::SharedClientContext server = {};   // null: the server is reached in clear
};

}  // namespace helios::net
