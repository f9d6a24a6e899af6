// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests on real sockets start with.

#include "config/config.hpp"

#include <string>

namespace helios::admin::http {

inline config::Admin any_port() {
  config::Admin admin;
  admin.addresses = {{"127.0.0.1", 0}};
  admin.is_default = false;
  return admin;
}

// A request of the usual form.
inline std::string request(const std::string& line, const std::string& body = {},
                           const std::string& headers = {}) {
  return line +
         " HTTP/1.1\r\nHost: localhost:9090\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n" + headers + "\r\n" + body;
}

}  // namespace helios::admin::http
