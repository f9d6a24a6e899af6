// SPDX-License-Identifier: Apache-2.0
#include "support/history.hpp"

#include <algorithm>
#include <cstddef>

namespace helios::test {
namespace {

std::string shown(const std::optional<std::string>& value) { return value ? *value : "-"; }

std::string shown(const std::string& key, const HistoryCounter& counter) {
  std::string text;
  if (counter.seen) text += " " + key + "==" + std::to_string(*counter.seen);
  for (const HistoryCharge& charge : counter.charges) {
    text += " " + key + "+" + std::to_string(charge.amount) + (charge.is_made ? " " : " not ") +
            "within " + std::to_string(charge.limit);
  }
  return text + (counter.is_erased ? " " + key + ":=-" : "");
}

std::string shown(const HistoryRecord& record) {
  std::string text = record.name + " at version " + std::to_string(record.version) + ", moments " +
                     std::to_string(record.began) + " to " + std::to_string(record.ended) + ":";
  for (const HistoryScan& scan : record.scans) {
    text += " scan(" + scan.prefix + "*, after \"" + scan.after + "\")=[";
    for (const auto& [key, version] : scan.shown) text += " " + key + "@" + std::to_string(version);
    text += scan.last ? " ...]" : " ]";
  }
  for (const auto& [key, value] : record.reads) text += " " + key + "==" + shown(value);
  for (const auto& [key, value] : record.writes) text += " " + key + ":=" + shown(value);
  for (const auto& [key, counter] : record.counters) text += shown(key, counter);
  return text;
}

// It leaves another value behind, or may do so.
bool changes(const HistoryCounter& counter) {
  return counter.is_erased || std::ranges::any_of(counter.charges, [](const HistoryCharge& charge) {
           return charge.is_made && charge.amount != 0;
         });
}

// Whether all that was told is right for a counter that holds `value`, which becomes what it leaves behind.
bool is_right(const HistoryCounter& counter, std::int64_t& value) {
  if (counter.seen && *counter.seen != value) return false;
  for (const HistoryCharge& charge : counter.charges) {
    const std::int64_t sum = value + charge.amount;
    if (charge.is_made != (charge.amount < 0 ? sum >= charge.limit : sum <= charge.limit))
      return false;
    if (charge.is_made) value = sum;
  }
  if (counter.is_erased) value = 0;
  return true;
}

class Checker {
 public:
  explicit Checker(const std::vector<HistoryRecord>& history) : history_(history) {}

  std::string run() {
    order_changes();
    collect_writes();
    collect_counters();
    for (std::size_t reader = 0; reader < history_.size() && fault_.empty(); ++reader) {
      for (const auto& [key, value] : history_[reader].reads) add_read(reader, key, value);
      for (const HistoryScan& scan : history_[reader].scans) add_scan(reader, scan);
      for (const auto& [key, counter] : history_[reader].counters)
        add_counter(reader, key, counter);
    }
    if (!fault_.empty()) return fault_;
    add_real_time();
    return find_cycle();
  }

 private:
  struct Edge {
    std::size_t from;
    std::string why;
  };
  using Writers = std::vector<std::size_t>;  // of one key, in their order

  void add_edge(std::size_t from, std::size_t to, std::string why) {
    if (from == to) return;
    into_[to].push_back({.from = from, .why = std::move(why)});
  }

  void fail(std::size_t record, const std::string& what) {
    if (fault_.empty()) fault_ = what + "\n  " + shown(history_[record]);
  }

  void order_changes() {
    for (std::size_t i = 0; i < history_.size(); ++i) {
      const HistoryRecord& record = history_[i];
      const bool has_changes =
          !record.writes.empty() || std::ranges::any_of(record.counters, [](const auto& item) {
            return changes(item.second);
          });
      if (has_changes && !by_version_.emplace(record.version, i).second)
        fail(i, "a version was used twice");
    }
  }

  void collect_writes() {
    into_.resize(history_.size());
    for (const auto& [version, writer] : by_version_) {
      for (const auto& [key, value] : history_[writer].writes) {
        Writers& writers = writers_[key];
        if (!writers.empty()) add_edge(writers.back(), writer, "wrote " + key + " before");
        writers.push_back(writer);
        if (value && !origin_.emplace(std::pair(key, *value), writers.size()).second) {
          fail(writer, "the value " + *value + " was written twice: such a history proves nothing");
        }
      }
    }
  }

  // Who changes a counter comes behind the one before, so all that it was told is to be right for what that one left.
  void collect_counters() {
    for (const auto& [version, writer] : by_version_) {
      for (const auto& [key, counter] : history_[writer].counters) {
        if (!changes(counter)) continue;
        Writers& writers = writers_[key];
        std::vector<std::int64_t>& left = left_[key];
        std::int64_t value = left.empty() ? 0 : left.back();
        if (!writers.empty()) add_edge(writers.back(), writer, "changed " + key + " before");
        if (!is_right(counter, value)) fail(writer, wrong_counter(key, value));
        writers.push_back(writer);
        left.push_back(value);
      }
    }
  }

  static std::string wrong_counter(const std::string& key, std::int64_t value) {
    return "what was told of the counter " + key + " is not right where it held " +
           std::to_string(value);
  }

  // Who changes nothing has its place where its version says.
  void add_counter(std::size_t reader, const std::string& key, const HistoryCounter& counter) {
    if (changes(counter)) return;
    const std::size_t state = state_for(reader, key);
    std::int64_t value = state == 0 ? 0 : left_[key][state - 1];
    if (!is_right(counter, value)) fail(reader, wrong_counter(key, value));
    add_read_of_state(reader, key, state);
  }

  // `state`: 0 = as before the first write, n = as the n-th writer left it.
  void add_read_of_state(std::size_t reader, const std::string& key, std::size_t state) {
    const Writers& writers = writers_[key];
    if (state > 0) add_edge(writers[state - 1], reader, "left what was seen of " + key + " by");
    if (state < writers.size()) {
      add_edge(reader, writers[state], "saw " + key + " before the write of");
    }
  }

  void add_read(std::size_t reader, const std::string& key,
                const std::optional<std::string>& value) {
    if (!value) {
      add_read_of_state(reader, key, absent_state(reader, key));
      return;
    }
    const auto origin = origin_.find({key, *value});
    if (origin == origin_.end()) {
      fail(reader, "read a value of " + key + " that nobody committed: " + *value);
      return;
    }
    add_read_of_state(reader, key, origin->second);
  }

  std::size_t first_not_before(const Writers& writers, std::uint64_t version) const {
    const auto at = std::ranges::lower_bound(
        writers, version, {}, [this](std::size_t index) { return history_[index].version; });
    return static_cast<std::size_t>(at - writers.begin());
  }

  // The last state that the reader's version allows.
  std::size_t state_for(std::size_t reader, const std::string& key) {
    const Writers& writers = writers_[key];
    const std::size_t state = first_not_before(writers, history_[reader].version);
    const bool is_at_a_writer = state < writers.size() && writers[state] != reader &&
                                history_[writers[state]].version == history_[reader].version;
    return is_at_a_writer ? state + 1 : state;
  }

  // The last one without the key.
  std::size_t absent_state(std::size_t reader, const std::string& key) {
    const Writers& writers = writers_[key];
    std::size_t state = state_for(reader, key);
    while (state > 0 && history_[writers[state - 1]].writes.at(key)) --state;
    return state;
  }

  void add_scan(std::size_t reader, const HistoryScan& scan) {
    for (const auto& [key, version] : scan.shown) {
      const Writers& writers = writers_[key];
      const std::size_t writer = first_not_before(writers, version);
      const bool is_known = writer < writers.size() && history_[writers[writer]].version == version;
      if (!is_known || !history_[writers[writer]].writes.at(key)) {
        fail(reader, "a scan showed a version of " + key + " that nobody committed");
        return;
      }
      add_read_of_state(reader, key, writer + 1);
    }
    for (const auto& [key, writers] : writers_) {
      const bool is_covered = key.starts_with(scan.prefix) && key > scan.after &&
                              (!scan.last || key <= *scan.last) && !scan.shown.contains(key);
      if (is_covered) add_read_of_state(reader, key, absent_state(reader, key));
    }
  }

  // One node more for each end, in a row, instead of an edge for each pair.
  void add_real_time() {
    const std::size_t count = history_.size();
    std::vector<std::size_t> by_end(count);
    for (std::size_t i = 0; i < count; ++i) by_end[i] = i;
    std::ranges::sort(by_end, {}, [this](std::size_t i) { return history_[i].ended; });
    into_.resize(2 * count);
    for (std::size_t place = 0; place < count; ++place) {
      add_edge(by_end[place], count + place, "had its answer before the beginning of");
      if (place > 0) add_edge(count + place - 1, count + place, "");
    }
    for (std::size_t i = 0; i < count; ++i) {
      const auto not_earlier =
          std::ranges::lower_bound(by_end, history_[i].began, {},
                                   [this](std::size_t other) { return history_[other].ended; });
      const auto earlier = static_cast<std::size_t>(not_earlier - by_end.begin());
      if (earlier > 0) add_edge(count + earlier - 1, i, "");
    }
  }

  // Takes away what nothing that is left comes before, until nothing changes.
  std::string find_cycle() {
    std::vector<std::vector<std::size_t>> from(into_.size());
    std::vector<std::size_t> waits_for(into_.size());
    std::vector<std::size_t> free;
    for (std::size_t node = 0; node < into_.size(); ++node) {
      for (const Edge& edge : into_[node]) from[edge.from].push_back(node);
      waits_for[node] = into_[node].size();
      if (waits_for[node] == 0) free.push_back(node);
    }
    std::size_t taken = 0;
    while (!free.empty()) {
      const std::size_t node = free.back();
      free.pop_back();
      ++taken;
      for (const std::size_t next : from[node]) {
        if (--waits_for[next] == 0) free.push_back(next);
      }
    }
    if (taken == into_.size()) return {};
    const auto stuck = std::ranges::find_if(waits_for, [](std::size_t count) { return count > 0; });
    return describe_cycle(static_cast<std::size_t>(stuck - waits_for.begin()), waits_for);
  }

  // Every node that is left has another one before it: going back, we come round.
  std::string describe_cycle(std::size_t node, const std::vector<std::size_t>& waits_for) const {
    std::vector<std::size_t> path;
    std::vector<const Edge*> edges;
    std::map<std::size_t, std::size_t> position;
    while (position.emplace(node, path.size()).second) {
      const auto edge = std::ranges::find_if(
          into_[node], [&](const Edge& candidate) { return waits_for[candidate.from] > 0; });
      path.push_back(node);
      edges.push_back(&*edge);
      node = edge->from;
    }
    std::string text =
        "no order of these transactions is possible, each has to come before the next:";
    for (std::size_t i = path.size(); i-- > position.at(node);) {
      const std::size_t from = edges[i]->from;
      if (from < history_.size()) text += "\n  " + shown(history_[from]) + "\n    " + edges[i]->why;
    }
    return text + "\n  the first one";
  }

  const std::vector<HistoryRecord>& history_;
  std::map<std::uint64_t, std::size_t> by_version_;  // who changed something
  std::map<std::string, Writers> writers_;
  std::map<std::pair<std::string, std::string>, std::size_t> origin_;  // key, value -> state
  std::map<std::string, std::vector<std::int64_t>> left_;  // by the writers of a counter
  std::vector<std::vector<Edge>> into_;                    // by record, then one for each end
  std::string fault_;
};

}  // namespace

std::string find_anomaly(const std::vector<HistoryRecord>& history) {
  return Checker(history).run();
}

}  // namespace helios::test
