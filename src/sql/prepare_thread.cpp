// SPDX-License-Identifier: Apache-2.0
#include "sql/prepare_thread.hpp"

#include <pg_query.h>

#include <mutex>

namespace helios::sql {

// libpg_query prepares a thread at its first use and keeps a process-wide handle meanwhile.
void prepare_thread() {
  static std::mutex mutex;
  thread_local bool is_prepared = false;
  if (is_prepared) return;
  const std::lock_guard lock(mutex);
  pg_query_init();
  is_prepared = true;
}

}  // namespace helios::sql
