// SPDX-License-Identifier: Apache-2.0

#include "auth/file_reader.hpp"

#include "base/open_file.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace helios::auth {
namespace {

// A folder of rules is written by hand: more entries are a folder of something else.
constexpr std::size_t kMaxEntries = 10'000;

base::Errc code_of(int number) {
  return number == ENOENT ? base::Errc::not_found : base::Errc::unavailable;
}

base::Result<std::string> read_all(int descriptor, const std::string& path) {
  std::string content(FileReader::kMaxBytes + 1, '\0');
  std::size_t size = 0;
  while (size < content.size()) {
    const auto count = ::read(descriptor, content.data() + size, content.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      return base::fail(base::Errc::unavailable,
                        path + ": cannot be read: " + std::strerror(errno));
    }
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  if (size == content.size()) {
    return base::fail(base::Errc::limit_exceeded, path + ": is larger than 1 MiB");
  }
  content.resize(size);
  return content;
}

base::Result<std::string> read_file(const std::string& path) {
  // O_NONBLOCK: a pipe in its place must not hold the start up.
  const base::OpenFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.is_open()) {
    return base::fail(code_of(errno), path + ": cannot be opened: " + std::strerror(errno));
  }
  struct stat status{};
  if (::fstat(file.number(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return base::fail(base::Errc::invalid, path + ": is not a regular file");
  }
  return read_all(file.number(), path);
}

base::Result<std::vector<std::string>> list_folder(const std::string& path) {
  std::error_code error;
  std::vector<std::string> names;
  std::filesystem::directory_iterator entry(path, error);
  while (!error && entry != std::filesystem::directory_iterator()) {
    std::error_code ignored;
    if (!entry->is_directory(ignored)) names.push_back(entry->path().filename().string());
    if (names.size() > kMaxEntries) {
      return base::fail(base::Errc::limit_exceeded, path + ": has more than 10000 files");
    }
    entry.increment(error);
  }
  if (error) {
    return base::fail(code_of(error.value()), path + ": cannot be listed: " + error.message());
  }
  return names;
}

}  // namespace

FileReader real_files() { return {.read = read_file, .list = list_folder}; }

}  // namespace helios::auth
