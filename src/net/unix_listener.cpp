// SPDX-License-Identifier: Apache-2.0

#include "net/unix_listener.hpp"

#include "net/engine/endpoint.hpp"
#include "net/engine/sockets.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <grp.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace helios::net {
namespace {

constexpr std::size_t kMaxGroupEntryBytes = 1 << 20;

std::unexpected<base::Error> failure(const std::string& path, const std::string& why) {
  return base::fail(base::Errc::unavailable, "cannot listen on " + path + ": " + why);
}

bool is_number(const std::string& text, unsigned& out) {
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, out);
  return error == std::errc() && stop == end;
}

// False: there is no such group.
bool find_group(const std::string& name, gid_t& out) {
  if (is_number(name, out)) {
    return true;
  }
  std::vector<char> buffer(4096);
  group entry{};
  group* found = nullptr;
  while (::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) == ERANGE &&
         buffer.size() < kMaxGroupEntryBytes) {
    buffer.resize(buffer.size() * 2);
  }
  if (found == nullptr) {
    return false;
  }
  out = found->gr_gid;
  return true;
}

// Whoever opened the file before its last owner removed it holds a lock on nothing.
bool is_still_at(int fd, const std::string& path) {
  struct stat opened{};
  struct stat named{};
  return ::fstat(fd, &opened) == 0 && ::stat(path.c_str(), &named) == 0 &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

std::string owner_in(int lock) {
  std::array<char, 16> text{};
  const auto got = ::pread(lock, text.data(), text.size() - 1, 0);
  const std::string owner(text.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return owner.substr(0, owner.find('\n'));
}

}  // namespace

base::Result<UnixListener> UnixListener::open(const config::Listen& listen, std::uint16_t port) {
  UnixListener listener(unix_socket_path(listen.unix_socket_dir, port));
  constexpr auto kMaxPathBytes = sizeof(sockaddr_un::sun_path) - 1;
  if (listener.path_.size() > kMaxPathBytes) {
    return failure(listener.path_, "the path is longer than " + std::to_string(kMaxPathBytes) +
                                       " bytes, the most that a Unix socket can have");
  }
  if (auto locked = listener.lock(); !locked) {
    return std::unexpected(locked.error());
  }
  if (auto removed = listener.remove_stale(); !removed) {
    return std::unexpected(removed.error());
  }
  if (auto is_signed = listener.sign_lock(); !is_signed) {
    return std::unexpected(is_signed.error());
  }
  if (auto bound = listener.bind_and_listen(listen); !bound) {
    return std::unexpected(bound.error());
  }
  return listener;
}

UnixListener::~UnixListener() {
  if (!lock_) {
    return;  // moved away
  }
  if (is_bound_) {
    ::unlink(path_.c_str());
  }
  if (is_signed_) {
    ::unlink(lock_path().c_str());
  }
}

base::Result<void> UnixListener::lock() {
  constexpr int kFlags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
  while (true) {
    Fd lock(::open(lock_path().c_str(), kFlags, 0600));
    if (!lock) {
      return failure(path_, std::string("cannot open the lock file: ") + std::strerror(errno));
    }
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
      return failure(path_, "it is in use by process " + owner_in(lock.get()));
    }
    if (is_still_at(lock.get(), lock_path())) {
      lock_ = std::move(lock);
      return {};
    }
  }
}

// The lock file of a PostgreSQL server holds no lock, only its process id. So the file is ours only
// once it is clear that nobody listens.
base::Result<void> UnixListener::sign_lock() {
  const auto owner = std::to_string(::getpid()) + "\n";
  is_signed_ =
      ::ftruncate(lock_.get(), 0) == 0 &&
      ::pwrite(lock_.get(), owner.data(), owner.size(), 0) == static_cast<ssize_t>(owner.size());
  if (!is_signed_) {
    return failure(path_, std::string("cannot write the lock file: ") + std::strerror(errno));
  }
  return {};
}

// Somebody who knows nothing of our lock may be listening all the same.
base::Result<void> UnixListener::remove_stale() {
  struct stat found{};
  if (::lstat(path_.c_str(), &found) != 0) {
    return errno == ENOENT ? base::Result<void>{} : failure(path_, std::strerror(errno));
  }
  if (!S_ISSOCK(found.st_mode)) {
    return failure(path_, "there is a file of that name that is not a socket");
  }
  const auto endpoint = unix_endpoint(path_);
  Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!probe) {
    return failure(path_, std::strerror(errno));
  }
  if (::connect(probe.get(), endpoint.address(), endpoint.length) == 0 || errno == EAGAIN) {
    return failure(path_, "another process is listening there");
  }
  if (errno != ECONNREFUSED || ::unlink(path_.c_str()) != 0) {
    return failure(path_, std::strerror(errno));
  }
  return {};
}

// Nobody can connect before listen(), so nobody meets the permissions that bind() gives.
base::Result<void> UnixListener::bind_and_listen(const config::Listen& listen) {
  const auto endpoint = unix_endpoint(path_);
  socket_ = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket_ || ::bind(socket_.get(), endpoint.address(), endpoint.length) != 0) {
    return failure(path_, std::strerror(errno));
  }
  is_bound_ = true;
  if (!listen.unix_socket_group.empty()) {
    gid_t group_id = 0;
    if (!find_group(listen.unix_socket_group, group_id)) {
      return failure(path_, "there is no group \"" + listen.unix_socket_group + "\"");
    }
    if (::chown(path_.c_str(), static_cast<uid_t>(-1), group_id) != 0) {
      return failure(path_, "cannot give it to group \"" + listen.unix_socket_group +
                                "\": " + std::strerror(errno));
    }
  }
  if (::chmod(path_.c_str(), static_cast<mode_t>(listen.unix_socket_mode)) != 0 ||
      ::listen(socket_.get(), kListenBacklog) != 0) {
    return failure(path_, std::strerror(errno));
  }
  return {};
}

}  // namespace helios::net
