// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace helios::kv::rocksdb {

// What opening a state directory may do to it. Whatever the mode, no other process has it open meanwhile.
enum class OpenMode {
  create,     // makes it if it does not exist
  existing,   // refuses what is no state directory
  read_only,  // as `existing`, and leaves every byte as it is
};

}  // namespace helios::kv::rocksdb
