// SPDX-License-Identifier: Apache-2.0
#pragma once

// An HTTP request and its response, reduced to what the admin handlers look at. How they travel is
// the business of admin/http.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helios::admin {

enum class Method { get, head, put, post, del, other };

// "GET", "HEAD", "PUT", "POST", "DELETE", or "other".
[[nodiscard]] constexpr std::string_view to_word(Method method) {
  switch (method) {
    case Method::get: return "GET";
    case Method::head: return "HEAD";
    case Method::put: return "PUT";
    case Method::post: return "POST";
    case Method::del: return "DELETE";
    case Method::other: return "other";
  }
  std::unreachable();
}

// Whatever is sent with another method may change something.
[[nodiscard]] constexpr bool only_reads(Method method) {
  return method == Method::get || method == Method::head;
}

[[nodiscard]] constexpr bool changes_something(Method method) {
  return method == Method::put || method == Method::post || method == Method::del;
}

struct Request {
  Method method = Method::get;
  std::string target;  // as on the request line: path, and query after '?', still percent-encoded
  std::string accept;  // Accept; empty when absent
  std::optional<std::string> host;                // Host
  std::optional<std::string> origin;              // Origin
  std::optional<std::string> sec_fetch_site;      // Sec-Fetch-Site
  std::optional<std::string> authorization = {};  // Authorization; empty when there are several
  std::optional<std::string> if_match = {};       // If-Match
  std::optional<std::string> if_none_match = {};  // If-None-Match
  std::optional<std::string> ttl_ms = {};         // Helios-TTL-Ms
  std::optional<std::string> force = {};          // Helios-Force
  std::optional<std::string> new_namespace = {};  // Helios-New-Namespace
  std::string peer = {};                          // "127.0.0.1:4711": who sent it, for the log
  bool is_encrypted = false;                      // came over TLS
  std::string body;                               // complete, chunks already joined
};

struct Header {
  std::string name;
  std::string value;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;  // what a GET gets; the transport leaves it out for HEAD
  std::vector<Header> headers;
};

// How a handler answers: called exactly once, inside the handler or later, on any thread. Destroying
// it without a call means that there will be no answer; the transport then reports a failure.
using Responder = std::move_only_function<void(Response)>;

}  // namespace helios::admin
