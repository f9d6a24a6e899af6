// SPDX-License-Identifier: Apache-2.0
#pragma once

// Files that are on no disk, for the readers of rules.

#include "auth/file_reader.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace helios::auth {

struct MemoryFiles {
  std::map<std::string, std::string> texts;  // by path
  std::set<std::string> locked{};            // they are there, and cannot be opened

  // This must outlive it.
  [[nodiscard]] FileReader reader() const {
    return {.read = [this](const std::string& path) { return read(path); },
            .list = [this](const std::string& path) { return list(path); }};
  }

 private:
  [[nodiscard]] base::Result<std::string> read(const std::string& path) const {
    if (locked.contains(path)) return base::fail(base::Errc::unavailable, path + ": is locked");
    const auto found = texts.find(path);
    if (found == texts.end()) return base::fail(base::Errc::not_found, path + ": is not there");
    return found->second;
  }

  // In reverse, so that whoever needs an order has to make it.
  [[nodiscard]] base::Result<std::vector<std::string>> list(const std::string& folder) const {
    std::vector<std::string> names;
    for (auto each = texts.rbegin(); each != texts.rend(); ++each) {
      if (each->first.starts_with(folder + "/"))
        names.push_back(each->first.substr(folder.size() + 1));
    }
    if (names.empty()) return base::fail(base::Errc::not_found, folder + ": is not there");
    return names;
  }
};

}  // namespace helios::auth
