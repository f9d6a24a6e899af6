// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a server can be found to have done, as LinkUser::on_malformed() tells it: to be read behind "the server ".

#include <string_view>

namespace helios::backend {

inline constexpr std::string_view kMalformed = "sent a malformed message";
inline constexpr std::string_view kUnasked = "sent an answer that nobody had asked for";
inline constexpr std::string_view kUnfit = "sent an answer that does not fit what it was asked";
inline constexpr std::string_view kNotARule = "answered SHOW with something else than a setting";
inline constexpr std::string_view kLostCopy =
    "did not tell where it stands behind a COPY that had failed";

}  // namespace helios::backend
