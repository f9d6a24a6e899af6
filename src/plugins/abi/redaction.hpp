// SPDX-License-Identifier: Apache-2.0
#pragma once

// A statement's texts without the secrets in them, for guests: worked out when a hook asks first, kept with the statement for
// the questions after it.

#include "plugins/abi/host_calls.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace helios::plugins {

// What may be shown of `text`, the statement's current text or that of its EXECUTE. Where nothing is secret that is `text` itself; otherwise
// it lives as long as the statement's `redacted` and the text stays what it is. All is hidden of a text that nobody can read.
// nullopt: the attempt's time is over, which a long text finds out on the way. Requires: calls.statement() is there.
[[nodiscard]] std::optional<std::string_view> redacted_text(HostCalls& calls,
                                                            std::string_view text);
[[nodiscard]] std::optional<std::string_view> redacted_execute_text(HostCalls& calls,
                                                                    std::string_view text);

// The same of a message, worked out each time; `buffer` holds it.
[[nodiscard]] std::string_view redacted_message(HostCalls& calls, std::string_view message,
                                                std::string& buffer);

}  // namespace helios::plugins
