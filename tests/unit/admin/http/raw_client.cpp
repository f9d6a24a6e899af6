// SPDX-License-Identifier: Apache-2.0
#include "unit/admin/http/raw_client.hpp"

#include "base/text.hpp"

#include <array>
#include <charconv>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace helios::admin::http {
namespace {

constexpr timeval kPatience{.tv_sec = 20, .tv_usec = 0};

template <typename Address>
bool connect_to(int socket, const Address& address) {
  return connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
}

bool connect_v4(int socket, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return connect_to(socket, address);
}

bool connect_v6(int socket, std::uint16_t port) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  address.sin6_addr = in6addr_loopback;
  return connect_to(socket, address);
}

std::size_t to_size(const std::string& text) {
  std::size_t size = 0;
  std::from_chars(text.data(), text.data() + text.size(), size);
  return size;
}

}  // namespace

std::string RawResponse::header(std::string_view name) const {
  const std::string start = "\r\n" + base::to_lower(name) + ":";
  const auto at = base::find_ignore_case(head, start);
  if (at == std::string::npos) return {};
  const auto begin = head.find_first_not_of(' ', at + start.size());
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

RawClient::RawClient(std::uint16_t port, bool is_v6) {
  socket_ = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof(kPatience));
  setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof(kPatience));
  if (is_v6 ? connect_v6(socket_, port) : connect_v4(socket_, port)) return;
  close(socket_);
  socket_ = -1;
}

RawClient::~RawClient() {
  if (socket_ >= 0) close(socket_);
}

bool RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

void RawClient::finish_sending() { shutdown(socket_, SHUT_WR); }

bool RawClient::receive() {
  std::array<char, 64 * 1024> buffer;
  const ssize_t count = recv(socket_, buffer.data(), buffer.size(), 0);
  if (count <= 0) return false;
  received_.append(buffer.data(), static_cast<std::size_t>(count));
  return true;
}

std::optional<RawResponse> RawClient::read_response(bool is_head) {
  std::size_t end = std::string::npos;
  while ((end = received_.find("\r\n\r\n")) == std::string::npos)
    if (!receive()) return std::nullopt;
  RawResponse response;
  response.head = received_.substr(0, end + 2);
  received_.erase(0, end + 4);
  response.status = static_cast<int>(to_size(response.head.substr(9, 3)));
  if (is_head || response.status < 200) return response;
  const std::size_t body_bytes = to_size(response.header("Content-Length"));
  while (received_.size() < body_bytes)
    if (!receive()) return std::nullopt;
  response.body = received_.substr(0, body_bytes);
  received_.erase(0, body_bytes);
  return response;
}

bool RawClient::is_closed_by_server() {
  char byte = 0;
  return received_.empty() && recv(socket_, &byte, 1, 0) == 0;
}

}  // namespace helios::admin::http
