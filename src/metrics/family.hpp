// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a scrape is made of, independent of any format.
//
// Names follow the Prometheus conventions: "helios_" first, base unit last ("_seconds", "_bytes"),
// "_total" at the end of a counter's. Label values may be any bytes; they are escaped when written.

#include "metrics/histogram.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helios::metrics {

enum class Kind { counter, gauge, histogram };

using Labels = std::vector<std::pair<std::string, std::string>>;

// One time series at one moment.
struct Sample {
  Labels labels;
  double value = 0;             // counter and gauge
  HistogramSnapshot histogram;  // histogram
};

// All series of one name.
struct Family {
  std::string name;
  std::string help;  // one line
  Kind kind = Kind::counter;
  std::vector<Sample> samples;
};

// Shorthands for the code that lists its numbers at a scrape.
[[nodiscard]] inline Family counter_family(std::string name, std::string help, std::uint64_t value,
                                           Labels labels = {}) {
  return {std::move(name),
          std::move(help),
          Kind::counter,
          {Sample{std::move(labels), static_cast<double>(value), {}}}};
}
[[nodiscard]] inline Family gauge_family(std::string name, std::string help, double value,
                                         Labels labels = {}) {
  return {std::move(name), std::move(help), Kind::gauge, {Sample{std::move(labels), value, {}}}};
}
[[nodiscard]] inline Family histogram_family(std::string name, std::string help,
                                             HistogramSnapshot snapshot, Labels labels = {}) {
  return {std::move(name),
          std::move(help),
          Kind::histogram,
          {Sample{std::move(labels), 0, std::move(snapshot)}}};
}

// Letters, digits, '_' and ':', not beginning with a digit.
[[nodiscard]] bool is_metric_name(std::string_view name);
// Letters, digits and '_', not beginning with a digit or with "__".
[[nodiscard]] bool is_label_name(std::string_view name);

}  // namespace helios::metrics
