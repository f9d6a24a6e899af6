// SPDX-License-Identifier: Apache-2.0

#include "app/internal_faults.hpp"

#include "base/text.hpp"

#include <string>

namespace helios::app {

void InternalFaults::report(base::FaultPlace place, std::string_view what) noexcept {
  Place& record = places_[static_cast<std::size_t>(place)];
  record.count.add();
  const std::int64_t now_ns = clock_.monotonic_ns();
  std::int64_t due_ns = record.next_line_ns.load(std::memory_order_relaxed);
  if (now_ns < due_ns ||
      !record.next_line_ns.compare_exchange_strong(due_ns, now_ns + kLogEveryNs)) {
    return;
  }
  try {
    log_.write(base::LogLevel::error, "internal fault (" + std::string(base::to_word(place)) +
                                          "): " + base::escape_for_log(what, 400) +
                                          "; the piece of work was given up, please report this");
  } catch (...) {
    // There may be no memory for a line. It is counted.
  }
}

std::uint64_t InternalFaults::count(base::FaultPlace place) const {
  return places_[static_cast<std::size_t>(place)].count.value();
}

metrics::Source InternalFaults::metrics_source() const {
  return [this](std::vector<metrics::Family>& out) {
    for (std::size_t i = 0; i < base::kFaultPlaces; ++i) {
      const auto place = static_cast<base::FaultPlace>(i);
      out.push_back(metrics::counter_family(
          "helios_internal_faults_total", "Pieces of work that an unexpected exception ended",
          count(place), {{"place", std::string(base::to_word(place))}}));
    }
  };
}

}  // namespace helios::app
