// SPDX-License-Identifier: Apache-2.0
#pragma once

// Fields of the JSON that the admin interface answers with. Private to the module.

#include "base/result.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace helios::cli {

// Errors: invalid. Bytes that are not UTF-8 are taken as they are.
[[nodiscard]] base::Result<boost::json::object> parse_object(std::string_view text);

// Empty when there is no such text.
[[nodiscard]] std::string text_of(const boost::json::object& object, std::string_view name);

// The same, as a view of `object`.
[[nodiscard]] std::string_view view_of(const boost::json::object& object, std::string_view name);

// Nullopt when there is no such whole number.
[[nodiscard]] std::optional<std::int64_t> number_of(const boost::json::object& object,
                                                    std::string_view name);

}  // namespace helios::cli
