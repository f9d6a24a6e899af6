// SPDX-License-Identifier: Apache-2.0

#include "config/secret_file.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace helios::config {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

// What is wrong with the file's owner and rights; empty when nothing is.
std::string rights_problem(const struct stat& status) {
  const uid_t self = ::geteuid();
  if (status.st_uid == self) {
    return (status.st_mode & (S_IRWXG | S_IRWXO)) == 0
               ? ""
               : "others may read or write it: its mode must be 0600 or stricter";
  }
  if (status.st_uid != 0) return "it must belong to the user who runs the proxy, or to root";
  return (status.st_mode & (S_IWGRP | S_IXGRP | S_IRWXO)) == 0
             ? ""
             : "others may read or write it: a file of root's must have mode 0640 or stricter";
}

base::Result<std::string> read_all(int descriptor, const std::string& path, std::size_t max_bytes) {
  std::string content(max_bytes + 1, '\0');
  std::size_t size = 0;
  while (size < content.size()) {
    const auto count = ::read(descriptor, content.data() + size, content.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      return base::fail(base::Errc::not_found, path + ": cannot be read: " + std::strerror(errno));
    }
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  if (size > max_bytes) {
    return base::fail(base::Errc::limit_exceeded,
                      path + ": is larger than " + std::to_string(max_bytes) + " bytes");
  }
  content.resize(size);
  return content;
}

}  // namespace

base::Result<std::string> read_secret_file(const std::string& path, std::size_t max_bytes) {
  // O_NONBLOCK: a pipe in its place must not hold the start up.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.number() < 0) {
    return base::fail(base::Errc::not_found, path + ": cannot be opened: " + std::strerror(errno));
  }
  // Asked of the open file: the name may lead elsewhere the next time.
  struct stat status{};
  if (::fstat(file.number(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return base::fail(base::Errc::invalid, path + ": is not a regular file");
  }
  if (const auto problem = rights_problem(status); !problem.empty()) {
    return base::fail(base::Errc::invalid, path + ": " + problem);
  }
  return read_all(file.number(), path, max_bytes);
}

}  // namespace helios::config
