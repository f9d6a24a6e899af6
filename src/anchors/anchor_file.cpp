// SPDX-License-Identifier: Apache-2.0
#include "anchors/anchor_file.hpp"

#include "base/open_file.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace helios::anchors {
namespace {

std::unexpected<base::Error> cannot(std::string_view what, const std::string& path) {
  return base::fail(base::Errc::unavailable,
                    path + " cannot be " + std::string(what) + ": " + std::strerror(errno));
}

bool ends_amid_a_line(const base::OpenFile& file) {
  struct stat status{};
  char last = '\n';
  if (::fstat(file.number(), &status) != 0 || status.st_size == 0) return false;
  return ::pread(file.number(), &last, 1, status.st_size - 1) == 1 && last != '\n';
}

bool write_all(const base::OpenFile& file, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(file.number(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

base::Result<void> append_line(const std::string& path, std::string_view line) {
  constexpr mode_t kOwnerOnly = 0600;
  // Of a pipe that nobody reads, opening would wait for ever.
  constexpr int kFlags = O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  base::OpenFile file(::open(path.c_str(), kFlags, kOwnerOnly));
  if (!file.is_open()) return cannot("opened", path);
  struct stat status{};
  if (::fstat(file.number(), &status) != 0) return cannot("opened", path);
  if (!S_ISREG(status.st_mode))
    return base::fail(base::Errc::unavailable, path + " is no regular file");
  std::string bytes = ends_amid_a_line(file) ? "\n" : "";
  bytes.append(line).append("\n");
  if (!write_all(file, bytes)) return cannot("written", path);
  if (::fsync(file.number()) != 0 || !file.close()) return cannot("kept", path);
  return {};
}

}  // namespace helios::anchors
