// SPDX-License-Identifier: Apache-2.0

#include "app/start_id.hpp"

#include "base/text.hpp"

#include <sys/random.h>

namespace helios::app {

admin::StartId new_start_id() {
  admin::StartId id = 0;
  // Cannot fail or be short for so few bytes, once the system is up.
  [[maybe_unused]] const auto got = ::getrandom(&id, sizeof(id), 0);
  return id;
}

std::string to_word(admin::StartId id) {
  return base::to_hex({reinterpret_cast<const char*>(&id), sizeof(id)});
}

}  // namespace helios::app
