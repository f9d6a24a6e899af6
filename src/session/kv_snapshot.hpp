// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the calls of helios.kv() in one statement read: for each namespace all that is asked of it, at
// one instant.

#include "kv/store.hpp"
#include "sql/analysis.hpp"

#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace helios::session {

class KvSnapshot {
 public:
  // What one call gets of one namespace. Views live as long as the snapshot.
  struct Part {
    std::string_view plugin;
    const kv::ScanPage* page = nullptr;
  };

  // Reads everything that `calls` ask for, in pages of at most `max_bytes`. A first argument that is a
  // constant names a namespace, any other means all of them; with a constant second argument only the
  // page's first item, if it has that key, counts. Errors: invalid (an impossible namespace name).
  [[nodiscard]] static base::Result<KvSnapshot> read(std::span<const sql::KvCall> calls,
                                                     kv::Store& store, std::uint64_t max_bytes);

  [[nodiscard]] std::vector<Part> parts_of(std::size_t call) const;

 private:
  struct Space {
    kv::Namespace* space = nullptr;
    std::vector<kv::ScanRange> ranges;
    std::vector<std::size_t> calls;  // parallel to ranges
    std::vector<kv::ScanPage> pages;
  };

  void ask(kv::Namespace& space, std::size_t call, const kv::ScanRange& range);

  std::deque<Space> spaces_;
};

}  // namespace helios::session
