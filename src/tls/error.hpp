// SPDX-License-Identifier: Apache-2.0
#pragma once

// What OpenSSL says about its last failure. It keeps a queue of errors for each thread, to which a call that fails adds:
// what an earlier call has left there would be taken for its own. So: clear, call, take.

#include <string>

namespace helios::tls {

// Forgets what earlier calls of this thread have left.
void clear_errors();

// The reason of the first error since then, in one line, e.g. "no shared cipher"; forgets all. "unknown error" where there
// is none.
[[nodiscard]] std::string take_error();

}  // namespace helios::tls
