// SPDX-License-Identifier: Apache-2.0
#pragma once

// The file in which somebody who works with `heliosproxy kv`, `audit`, `block` and their like notes once which proxy they
// ask, and with which token:
//
//   url = "https://proxy.example.com:9090"
//   token_file = "token"  # its user's alone (0600)
//   ca = "ca.pem"

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace helios::config {

struct ClientFile {
  std::string url;         // never empty
  std::string token_file;  // empty: none
  std::string ca;          // empty: what the system trusts
};

// `file_name` is for messages. Errors: invalid, with all that is wrong, as "FILE:LINE: key: what".
[[nodiscard]] base::Result<ClientFile> parse_client_file(std::string_view text,
                                                         std::string_view file_name);

// The same from `path`; paths in it are relative to its folder. Errors: also those of read_toml_file().
[[nodiscard]] base::Result<ClientFile> load_client_file(const std::string& path);

}  // namespace helios::config
