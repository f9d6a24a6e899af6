// SPDX-License-Identifier: Apache-2.0
#pragma once

// Turns calls of helios.kv() into SQL that any server understands: an inline row source for the table
// form, an expression elsewhere.
//
//   FROM helios.kv()          every namespace       columns plugin text, key text, value text,
//   FROM helios.kv('p')       one namespace                 version bigint, expires_at timestamptz
//   SELECT helios.kv('p')     the same rows, each one composite value
//   helios.kv('p', 'k')       one value, text, NULL when absent
// Arguments that are not constants become conditions on a row source of everything.

#include "base/result.hpp"
#include "kv/store.hpp"
#include "sql/analysis.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace helios::session {

// The texts that replace the bytes [begin, end) of each of `calls`, the calls of one statement of
// `text`. Every namespace is read at one instant. Requires: no call has a problem.
// Errors: invalid (a namespace name that cannot exist), limit_exceeded (one of the texts would be
// longer than `max_bytes`).
[[nodiscard]] base::Result<std::vector<std::string>> render_kv_calls(
    std::span<const sql::KvCall> calls, std::string_view text, kv::Store& store,
    std::uint64_t max_bytes);

// The same with no keys in any namespace: what a Describe is to be answered from.
[[nodiscard]] base::Result<std::vector<std::string>> describe_kv_calls(
    std::span<const sql::KvCall> calls, std::string_view text);

// How a value is shown: an 8-byte value that is not printable text is a little-endian counter and
// shows as a number; other values that are not UTF-8 show as \x and hexadecimal digits.
[[nodiscard]] std::string show_kv_bytes(std::string_view bytes);

}  // namespace helios::session
