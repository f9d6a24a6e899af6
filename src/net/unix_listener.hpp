// SPDX-License-Identifier: Apache-2.0
#pragma once

// The Unix socket that clients find by a folder: `.s.PGSQL.<port>`, and beside it `.s.PGSQL.<port>.lock`,
// which is locked as long as somebody listens and holds his process id, as PostgreSQL's does.
//
// A socket file that a dead process left behind is replaced; one behind which somebody listens is not.

#include "base/result.hpp"
#include "config/config.hpp"
#include "net/engine/fd.hpp"

#include <cstdint>
#include <string>

namespace helios::net {

class UnixListener {
 public:
  // Binds and listens, with the permissions and the group of `listen`.
  // Requires: listen.unix_socket_dir is not empty. Errors: unavailable; the message names the path.
  [[nodiscard]] static base::Result<UnixListener> open(const config::Listen& listen,
                                                       std::uint16_t port);

  // Removes both files.
  ~UnixListener();
  UnixListener(UnixListener&& other) noexcept = default;
  UnixListener& operator=(UnixListener&&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

  // The listening, non-blocking socket; once.
  [[nodiscard]] Fd take_socket() { return std::move(socket_); }

 private:
  explicit UnixListener(std::string path) : path_(std::move(path)) {}

  base::Result<void> lock();
  base::Result<void> remove_stale();
  base::Result<void> sign_lock();
  base::Result<void> bind_and_listen(const config::Listen& listen);
  [[nodiscard]] std::string lock_path() const { return path_ + ".lock"; }

  std::string path_;
  Fd lock_;
  bool is_signed_ = false;  // the lock file is ours
  bool is_bound_ = false;   // the socket file is ours
  Fd socket_;
};

}  // namespace helios::net
