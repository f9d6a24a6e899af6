// SPDX-License-Identifier: Apache-2.0
#include "admin/browser_guard.hpp"

#include "admin/replies.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace helios::admin {
namespace {

bool is_port(std::string_view text) {
  return text.size() <= 5 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// The host without brackets and port; empty when the text is not of that form.
std::string host_name(std::string_view host) {
  if (host.starts_with('[')) {
    const auto end = host.find(']');
    if (end == std::string_view::npos) return {};
    const std::string_view rest = host.substr(end + 1);
    const bool well_formed = rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)));
    return well_formed ? std::string(host.substr(1, end - 1)) : std::string();
  }
  const auto colon = host.find(':');
  if (colon == std::string_view::npos) return std::string(host);
  return is_port(host.substr(colon + 1)) ? std::string(host.substr(0, colon)) : std::string();
}

bool is_loopback_v4(const std::string& name) {
  in_addr address{};
  return inet_pton(AF_INET, name.c_str(), &address) == 1 && ntohl(address.s_addr) >> 24U == 127;
}

bool is_loopback_v6(const std::string& name) {
  in6_addr address{};
  return inet_pton(AF_INET6, name.c_str(), &address) == 1 && IN6_IS_ADDR_LOOPBACK(&address);
}

bool is_cross_site(const Request& request) {
  if (request.sec_fetch_site && *request.sec_fetch_site != "same-origin" &&
      *request.sec_fetch_site != "none")
    return true;
  const std::string scheme = request.is_encrypted ? "https://" : "http://";
  return request.origin &&
         !(request.host && base::equals_ignore_case(*request.origin, scheme + *request.host));
}

}  // namespace

bool is_loopback_host(std::string_view host) {
  const std::string name = host_name(host);
  const bool in_brackets = host.starts_with('[');
  if (in_brackets) return is_loopback_v6(name);
  return base::equals_ignore_case(name, "localhost") || is_loopback_v4(name);
}

std::optional<Response> refuse_browser_attack(const Request& request) {
  if (request.host && !is_loopback_host(*request.host))
    return error_reply(403,
                       "the Host header must be localhost or a loopback address: "
                       "use http://localhost:<port>/");
  if (!only_reads(request.method) && is_cross_site(request))
    return error_reply(403, "cross-site request refused");
  return std::nullopt;
}

}  // namespace helios::admin
