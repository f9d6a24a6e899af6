// SPDX-License-Identifier: Apache-2.0
#pragma once

// System calls on sockets as the streams of both engines need them. Private to this module.

#include <cstddef>
#include <span>
#include <string_view>

namespace helios::net {

// Whether the same call may succeed later.
[[nodiscard]] bool is_temporary(int error);

struct SendResult {
  std::size_t taken = 0;  // bytes that the kernel took
  int error = 0;          // why nothing can be sent any more; 0 = the kernel takes no more for now
};

// Offers `head` and then `pieces` to the kernel, without waiting.
[[nodiscard]] SendResult send_gathered(int fd, std::string_view head,
                                       std::span<const std::string_view> pieces);

// What broke the connection, 0 when that is unknown; asking forgets it.
[[nodiscard]] int take_socket_error(int fd);

// Of a connection that is broken: `known` where it is not 0, else what the kernel knows, else ECONNRESET.
[[nodiscard]] int reason_of_loss(int fd, int known);

}  // namespace helios::net
