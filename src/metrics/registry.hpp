// SPDX-License-Identifier: Apache-2.0
#pragma once

// All numbers of one process, gathered when somebody asks.
//
// A source is a callback that lists numbers at the moment of a scrape. The data path therefore pays
// for a number exactly what changing it costs: each worker keeps its own counters (counter.hpp,
// histogram.hpp) and registers a source that reads them. Series of equal name and labels from
// several sources are added up, so "all workers together" needs no code.
//
// Thread rule: any thread. Sources run on the scraping thread, one scrape at a time, under the
// registry's lock: a source neither registers nor scrapes, and is quick.

#include "metrics/counter.hpp"
#include "metrics/family.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace helios::metrics {

// Appends to the list. Must not throw.
using Source = std::function<void(std::vector<Family>&)>;

class Registry;

// Keeps a source registered. Once its destructor returns, the source is not running and never will.
class Registration {
 public:
  Registration() = default;
  Registration(Registration&& other) noexcept;
  Registration& operator=(Registration&& other) noexcept;
  ~Registration();

 private:
  friend class Registry;
  Registration(Registry& registry, std::uint64_t id) : registry_(&registry), id_(id) {}
  void remove();

  Registry* registry_ = nullptr;
  std::uint64_t id_ = 0;
};

class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // Requires: the registry outlives the registration.
  [[nodiscard]] Registration add_source(Source source);

  // A number that belongs to the registry, for whoever has no place for its own. The same name and
  // labels give the same object. Requires: valid names. The reference lives as long as the registry.
  SharedCounter& counter(const std::string& name, const std::string& help, Labels labels = {});
  Gauge& gauge(const std::string& name, const std::string& help, Labels labels = {});

  // Everything, each name once, by name. What a source lists under an invalid name, with an invalid
  // label name, or under a name that already has another kind, is left out: guests may choose names.
  [[nodiscard]] std::vector<Family> collect() const;

  // collect() in the Prometheus text format 0.0.4; see kTextContentType.
  [[nodiscard]] std::string render() const;

 private:
  friend class Registration;
  struct Owned;

  Owned& owned(const std::string& name, const std::string& help, Labels labels, Kind kind);
  void remove_source(std::uint64_t id);

  mutable std::mutex mutex_;
  std::map<std::uint64_t, Source> sources_;
  std::vector<std::unique_ptr<Owned>> owned_;
  std::uint64_t next_id_ = 1;
};

}  // namespace helios::metrics
