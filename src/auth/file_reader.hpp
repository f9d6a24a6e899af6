// SPDX-License-Identifier: Apache-2.0
#pragma once

// How the readers of rule files come to other files: what they include is known only when they read it. Tests give files
// that are on no disk.

#include "base/result.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace helios::auth {

struct FileReader {
  // No list of rules that somebody wrote is larger; something else may be, or has no end.
  static constexpr std::size_t kMaxBytes = std::size_t{1} << 20;

  // The content of a file. Errors: not_found where there is none of that name, and only then; another code for all
  // else; limit_exceeded for more than kMaxBytes. The message begins with the path.
  std::function<base::Result<std::string>(const std::string& path)> read;

  // The names, without the folder, of the files in a folder, in any order. Errors: as of `read`.
  std::function<base::Result<std::vector<std::string>>(const std::string& path)> list;
};

// The file system.
[[nodiscard]] FileReader real_files();

}  // namespace helios::auth
