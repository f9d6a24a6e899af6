// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/crypto.h>

#include <string>

namespace helios::auth {

// Overwrites all that the string holds memory for, also what it held before it became shorter, in a way that no compiler
// leaves out. The string is empty then.
inline void wipe(std::string& text) {
  text.resize(text.capacity());
  OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

}  // namespace helios::auth
