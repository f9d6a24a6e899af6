// SPDX-License-Identifier: Apache-2.0

#include "net/engine/fd.hpp"

#include <unistd.h>

namespace helios::net {

void Fd::reset() {
  if (fd_ >= 0) {
    ::close(std::exchange(fd_, -1));
  }
}

}  // namespace helios::net
