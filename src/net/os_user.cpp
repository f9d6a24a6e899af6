// SPDX-License-Identifier: Apache-2.0

#include "net/os_user.hpp"

#include <cerrno>
#include <vector>

#include <pwd.h>
#include <sys/socket.h>

namespace helios::net {
namespace {

constexpr std::size_t kMaxKnown = 1024;
constexpr std::size_t kMaxPasswdEntryBytes = 1 << 20;

std::string look_up(uid_t uid) {
  std::vector<char> buffer(4096);
  passwd entry{};
  passwd* found = nullptr;
  while (::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == ERANGE &&
         buffer.size() < kMaxPasswdEntryBytes) {
    buffer.resize(buffer.size() * 2);
  }
  return found == nullptr ? "" : found->pw_name;
}

}  // namespace

std::string OsUserNames::name_of(std::uint32_t uid) {
  const auto now = std::chrono::steady_clock::now();
  if (const auto found = known_.find(uid); found != known_.end() && now < found->second.until) {
    return found->second.name;
  }
  auto name = look_up(uid);
  if (known_.size() >= kMaxKnown) {
    known_.clear();
  }
  if (name.empty()) {
    known_.erase(uid);
  } else {
    known_.insert_or_assign(uid, Known{name, now + kKeepFor});
  }
  return name;
}

std::optional<session::OsUser> os_user_of(int connection, OsUserNames& names) {
  ucred credentials{};
  socklen_t length = sizeof(credentials);
  // A TCP socket answers too, with a process 0 of nobody.
  if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) {
    return std::nullopt;
  }
  int domain = 0;
  length = sizeof(domain);
  if (::getsockopt(connection, SOL_SOCKET, SO_DOMAIN, &domain, &length) != 0 || domain != AF_UNIX) {
    return std::nullopt;
  }
  return session::OsUser{
      .uid = credentials.uid, .pid = credentials.pid, .name = names.name_of(credentials.uid)};
}

}  // namespace helios::net
