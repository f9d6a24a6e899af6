// SPDX-License-Identifier: Apache-2.0
#pragma once

// Without tokens the admin port listens on loopback and asks for no password, so everybody on the
// machine may use it. A web page that a user of the machine looks at must not: any site can make the browser send
// requests to localhost. Two checks keep pages out, and neither is noticed by curl or by scripts:
//
//  - Host. A page whose own DNS name has been pointed at 127.0.0.1 (DNS rebinding) counts as same
//    origin and could read answers, but the browser sends that name in Host. So Host must be
//    localhost or a loopback address; the port does not matter (tunnels change it). A request
//    without Host passes: browsers always send one.
//  - Origin and Sec-Fetch-Site, for requests that change something. Browsers add them to what a page
//    sends across sites; a request that carries them must come from a page of this very server.
//
// Reading across sites needs no check of its own: without CORS headers, which this server never
// sends, the browser keeps the answer from the page.

#include "admin/message.hpp"

#include <optional>

namespace helios::admin {

// The refusal (403), or nullopt when the request may pass.
[[nodiscard]] std::optional<Response> refuse_browser_attack(const Request& request);

// Whether a Host header names this machine by localhost or a loopback address, with or without port.
[[nodiscard]] bool is_loopback_host(std::string_view host);

}  // namespace helios::admin
