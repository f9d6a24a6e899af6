// SPDX-License-Identifier: Apache-2.0
#include "metrics/registry.hpp"

#include "metrics/text_format.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace helios::metrics {
namespace {

bool is_name(std::string_view name, bool colon_allowed) {
  const auto is_letter = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (c == ':' && colon_allowed);
  };
  const auto is_follower = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); };
  return !name.empty() && is_letter(name.front()) && std::ranges::all_of(name, is_follower);
}

bool has_valid_names(const Family& family) {
  const auto labels_valid = [](const Sample& sample) {
    return std::ranges::all_of(sample.labels,
                               [](const auto& label) { return is_label_name(label.first); });
  };
  return is_metric_name(family.name) && std::ranges::all_of(family.samples, labels_valid);
}

// Adds up what a scrape finds, by name and then by labels.
class Merger {
 public:
  void add(Family&& family) {
    if (!has_valid_names(family)) return;
    Entry& entry = entries_[family.name];
    if (entry.by_labels.empty()) {
      entry.help = std::move(family.help);
      entry.kind = family.kind;
    } else if (entry.kind != family.kind) {
      return;
    }
    for (Sample& sample : family.samples) entry.add(std::move(sample));
  }

  std::vector<Family> finish() {
    std::vector<Family> result;
    for (auto& [name, entry] : entries_) {
      if (entry.by_labels.empty()) continue;
      Family family{name, std::move(entry.help), entry.kind, {}};
      for (auto& [labels, sample] : entry.by_labels) family.samples.push_back(std::move(sample));
      result.push_back(std::move(family));
    }
    return result;
  }

 private:
  struct Entry {
    void add(Sample&& sample) {
      std::ranges::sort(sample.labels);
      auto [place, is_new] = by_labels.try_emplace(sample.labels);
      if (is_new) {
        place->second = std::move(sample);
        return;
      }
      place->second.value += sample.value;
      place->second.histogram.merge(sample.histogram);
    }

    std::string help;
    Kind kind = Kind::counter;
    std::map<Labels, Sample> by_labels;
  };

  std::map<std::string, Entry> entries_;
};

}  // namespace

bool is_metric_name(std::string_view name) { return is_name(name, true); }

bool is_label_name(std::string_view name) {
  return is_name(name, false) && !name.starts_with("__");
}

Registration::Registration(Registration&& other) noexcept
    : registry_(std::exchange(other.registry_, nullptr)), id_(other.id_) {}

Registration& Registration::operator=(Registration&& other) noexcept {
  if (this != &other) {
    remove();
    registry_ = std::exchange(other.registry_, nullptr);
    id_ = other.id_;
  }
  return *this;
}

Registration::~Registration() { remove(); }

void Registration::remove() {
  if (registry_ != nullptr) std::exchange(registry_, nullptr)->remove_source(id_);
}

struct Registry::Owned {
  std::string name;
  std::string help;
  Labels labels;
  Kind kind;
  SharedCounter counter;
  Gauge gauge;

  [[nodiscard]] Family read() const {
    return kind == Kind::counter
               ? counter_family(name, help, counter.value(), labels)
               : gauge_family(name, help, static_cast<double>(gauge.value()), labels);
  }
};

Registry::Registry() = default;
Registry::~Registry() = default;

Registration Registry::add_source(Source source) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t id = next_id_++;
  sources_.emplace(id, std::move(source));
  return Registration(*this, id);
}

void Registry::remove_source(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  sources_.erase(id);
}

SharedCounter& Registry::counter(const std::string& name, const std::string& help, Labels labels) {
  return owned(name, help, std::move(labels), Kind::counter).counter;
}

Gauge& Registry::gauge(const std::string& name, const std::string& help, Labels labels) {
  return owned(name, help, std::move(labels), Kind::gauge).gauge;
}

Registry::Owned& Registry::owned(const std::string& name, const std::string& help, Labels labels,
                                 Kind kind) {
  assert(is_metric_name(name));
  std::ranges::sort(labels);
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find_if(owned_, [&](const auto& one) {
    return one->kind == kind && one->name == name && one->labels == labels;
  });
  if (found != owned_.end()) return **found;
  owned_.push_back(std::make_unique<Owned>());
  Owned& made = *owned_.back();
  made.name = name;
  made.help = help;
  made.labels = std::move(labels);
  made.kind = kind;
  return made;
}

std::vector<Family> Registry::collect() const {
  std::vector<Family> found;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& one : owned_) found.push_back(one->read());
    for (const auto& [id, source] : sources_) source(found);
  }
  Merger merger;
  for (Family& family : found) merger.add(std::move(family));
  return merger.finish();
}

std::string Registry::render() const { return render_text(collect()); }

}  // namespace helios::metrics
