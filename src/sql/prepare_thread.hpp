// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace helios::sql {

// To be called before any use of libpg_query on a thread; cheap from the second time on.
void prepare_thread();

}  // namespace helios::sql
