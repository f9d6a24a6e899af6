// SPDX-License-Identifier: Apache-2.0
#include "app/hmac_key.hpp"

#include "base/open_file.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

namespace helios::app {

namespace {

std::unexpected<base::Error> cannot(const std::string& what, const std::string& path) {
  return base::fail(base::Errc::unavailable,
                    path + " cannot be " + what + ": " + std::strerror(errno));
}

base::Result<plugins::HmacKey> read_key(const base::OpenFile& file, const std::string& path) {
  struct stat status{};
  if (::fstat(file.number(), &status) != 0) return cannot("read", path);
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return base::fail(base::Errc::invalid, path +
                                               " may be read by others than its owner: chmod 600 " +
                                               path + "; where somebody has read it, delete it");
  }
  plugins::HmacKey key{};
  const bool is_key = S_ISREG(status.st_mode) && std::cmp_equal(status.st_size, key.size());
  if (!is_key) {
    return base::fail(base::Errc::invalid,
                      path +
                          " is no key of 32 bytes: restore it from a backup, or "
                          "delete it, and digests from before no longer compare");
  }
  if (std::cmp_not_equal(::read(file.number(), key.data(), key.size()), key.size()))
    return cannot("read", path);
  return key;
}

}  // namespace

plugins::HmacKey random_hmac_key() {
  plugins::HmacKey key{};
  // Cannot fail or be short for so few bytes, once the system is up.
  [[maybe_unused]] const auto got = ::getrandom(key.data(), key.size(), 0);
  return key;
}

base::Result<plugins::HmacKey> hmac_key_of(const std::string& directory) {
  const std::string path = directory + "/" + kHmacKeyFile;
  const base::OpenFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (file.is_open()) return read_key(file, path);
  if (errno != ENOENT) return cannot("opened", path);
  const plugins::HmacKey key = random_hmac_key();
  if (const auto written = write_hmac_key(directory, key); !written)
    return std::unexpected(written.error());
  return key;
}

// Under another name first: a start that is cut off leaves no half of a key.
base::Result<void> write_hmac_key(const std::string& directory, const plugins::HmacKey& key) {
  const std::string path = directory + "/" + kHmacKeyFile;
  const std::string draft = path + ".new";
  ::unlink(draft.c_str());
  {
    const base::OpenFile file(
        ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (!file.is_open()) return cannot("made", draft);
    if (std::cmp_not_equal(::write(file.number(), key.data(), key.size()), key.size()) ||
        ::fsync(file.number()) != 0)
      return cannot("written", draft);
  }
  if (::rename(draft.c_str(), path.c_str()) != 0) return cannot("made", path);
  const base::OpenFile folder(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.is_open() || ::fsync(folder.number()) != 0) return cannot("synced", directory);
  return {};
}

}  // namespace helios::app
