// SPDX-License-Identifier: Apache-2.0
#pragma once

// Turns a call of helios.kv() into SQL that any server understands: an inline row source for the
// table form, a constant for the scalar form.
//
//   helios.kv()              every namespace        columns plugin text, key text, value text,
//   helios.kv('p')           one namespace                  version bigint, expires_at timestamptz
//   helios.kv('p','k')       one value, text, NULL when absent
// Arguments that are not constants become conditions on a row source of everything.

#include "base/result.hpp"
#include "kv/store.hpp"
#include "sql/analysis.hpp"

#include <string>
#include <string_view>

namespace helios::session {

// The text that replaces bytes [call.begin, call.end) of `text`. One instant per namespace.
// Errors: invalid (a namespace name that cannot exist), limit_exceeded (more than `max_bytes`).
[[nodiscard]] base::Result<std::string> render_kv_call(const sql::KvCall& call,
                                                       std::string_view text, kv::Store& store,
                                                       std::uint64_t max_bytes);

// How a value is shown: an 8-byte value that is not printable text is a little-endian counter and
// shows as a number; other values that are not UTF-8 show as \x and hexadecimal digits.
[[nodiscard]] std::string show_kv_bytes(std::string_view bytes);

}  // namespace helios::session
