// SPDX-License-Identifier: Apache-2.0
#include "metrics/text_format.hpp"

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <sstream>
#include <utility>
#include <vector>

namespace helios::metrics {
namespace {

prometheus::MetricType type_of(Kind kind) {
  switch (kind) {
    case Kind::counter: return prometheus::MetricType::Counter;
    case Kind::gauge: return prometheus::MetricType::Gauge;
    case Kind::histogram: return prometheus::MetricType::Histogram;
  }
  std::unreachable();
}

prometheus::ClientMetric::Histogram convert(const HistogramSnapshot& snapshot) {
  prometheus::ClientMetric::Histogram result;
  result.sample_sum = snapshot.sum;
  // The format's buckets are cumulative and end with the one that holds everything.
  for (std::size_t i = 0; i < snapshot.counts.size(); ++i) {
    result.sample_count += snapshot.counts[i];
    const double bound =
        i < snapshot.bounds.size() ? snapshot.bounds[i] : std::numeric_limits<double>::infinity();
    result.bucket.push_back({result.sample_count, bound});
  }
  return result;
}

prometheus::ClientMetric convert(const Sample& sample, Kind kind) {
  prometheus::ClientMetric result;
  for (const auto& [name, value] : sample.labels) result.label.push_back({name, value});
  switch (kind) {
    case Kind::counter: result.counter.value = sample.value; break;
    case Kind::gauge: result.gauge.value = sample.value; break;
    case Kind::histogram: result.histogram = convert(sample.histogram); break;
  }
  return result;
}

// The serializer writes help texts as they are; a line break in one would forge a line.
std::string escape_help(const std::string& help) {
  std::string result;
  for (const char c : help) {
    if (c == '\\')
      result += "\\\\";
    else if (c == '\n')
      result += "\\n";
    else
      result += c;
  }
  return result;
}

}  // namespace

std::string render_text(std::span<const Family> families) {
  std::vector<prometheus::MetricFamily> converted;
  converted.reserve(families.size());
  for (const Family& family : families) {
    prometheus::MetricFamily result;
    result.name = family.name;
    result.help = escape_help(family.help);
    result.type = type_of(family.kind);
    for (const Sample& sample : family.samples)
      result.metric.push_back(convert(sample, family.kind));
    converted.push_back(std::move(result));
  }
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, converted);
  return std::move(out).str();
}

}  // namespace helios::metrics
