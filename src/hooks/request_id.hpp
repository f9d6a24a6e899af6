// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace helios::hooks {

inline constexpr std::size_t kUuidChars = 36;

// A UUID per statement execution, the same in all of its hooks: plugins use it to recognise in
// post_query what they noted in pre_query, clients and operators to find a refusal. Made from the session's UUID and the
// statement's id, it needs no random numbers. The id 0 stands for the login.
[[nodiscard]] std::array<char, kUuidChars> request_id(std::string_view session_id,
                                                      std::uint64_t statement_id);

}  // namespace helios::hooks
