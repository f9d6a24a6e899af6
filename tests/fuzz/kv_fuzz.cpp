// SPDX-License-Identifier: Apache-2.0
//
// Transactions of the in-memory store beside a model of plain maps. Two attempts run interleaved;
// what one reads was true all at once at some time since it began, it commits if and only if that is
// still true and there is room, and what is stored then is what it wrote.
// Input: two bytes for each step: what to do, and with which key.

#include "fuzz/support/fuzz.hpp"
#include "kv/memory_store.hpp"
#include "kv/transaction.hpp"
#include "support/fake_clock.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace helios::fuzz {
namespace {

using kv::CommitStatus;
using kv::ReadStatus;
using kv::WriteStatus;
using State = std::map<std::string, std::string>;

constexpr std::size_t kMaxSteps = 400;
constexpr std::uint64_t kMaxKeys = 6;
constexpr std::uint64_t kMaxKeyBytes = 8;
constexpr std::uint64_t kMaxValueBytes = 32;

kv::Limits limits() {
  kv::Limits limits;
  limits.max_key_bytes = kMaxKeyBytes;
  limits.max_value_bytes = kMaxValueBytes;
  limits.max_keys_per_namespace = kMaxKeys;
  return limits;
}

std::optional<std::string> value_in(const State& state, const std::string& key) {
  const auto found = state.find(key);
  return found == state.end() ? std::nullopt : std::optional(found->second);
}

struct Attempt {
  std::unique_ptr<kv::Transaction> transaction;
  std::map<std::string, std::optional<std::string>> reads;
  std::map<std::string, std::optional<std::string>> writes;  // nullopt = erase
  std::size_t begun_at = 0;                                  // the newest state then
  bool is_over = false;

  [[nodiscard]] bool holds_in(const State& state) const {
    return std::ranges::all_of(
        reads, [&](const auto& read) { return value_in(state, read.first) == read.second; });
  }
  [[nodiscard]] State applied_to(State state) const {
    for (const auto& [key, value] : writes) {
      if (value) {
        state[key] = *value;
      } else {
        state.erase(key);
      }
    }
    return state;
  }
};

class Run {
 public:
  Run() : store_(limits(), clock_), space_(**store_.open("fuzz")) {
    for (Attempt& attempt : attempts_)
      attempt.transaction = std::make_unique<kv::Transaction>(store_, space_);
  }

  void step(Input& input) {
    const std::size_t what = input.take_below(32);
    Attempt& attempt = attempts_[what % 2];
    const std::string key = key_of(input.take_below(16));
    if (attempt.is_over || what < 2) {
      begin(attempt);
    } else if (what < 14) {
      get(attempt, key);
    } else if (what < 22) {
      set(attempt, key, what % 3 == 0);
    } else if (what < 26) {
      erase(attempt, key);
    } else {
      commit(attempt);
      compare();
    }
  }

 private:
  // Few keys, so that attempts meet; one is empty and one too long.
  static std::string key_of(std::size_t number) {
    return number == 15 ? std::string(kMaxKeyBytes + 1, 'k') : std::string(number % 10, 'k');
  }
  static bool is_key(const std::string& key) { return !key.empty() && key.size() <= kMaxKeyBytes; }
  [[nodiscard]] const State& now() const { return states_.back(); }

  void begin(Attempt& attempt) {
    attempt.transaction->reset();
    attempt.reads.clear();
    attempt.writes.clear();
    attempt.begun_at = states_.size() - 1;
    attempt.is_over = false;
  }

  void get(Attempt& attempt, const std::string& key) {
    std::string_view found;
    const ReadStatus status = attempt.transaction->get(key, found);
    if (status == ReadStatus::doomed) {
      require(!attempt.holds_in(now()), "doomed only when something read has changed");
      attempt.is_over = true;
      return;
    }
    require(status == ReadStatus::value || status == ReadStatus::absent, "a read is answered");
    const auto seen =
        status == ReadStatus::value ? std::optional(std::string(found)) : std::nullopt;
    if (const auto own = attempt.writes.find(key); own != attempt.writes.end()) {
      require(seen == own->second, "an attempt reads what it wrote");
      return;
    }
    if (!is_key(key)) return require(!seen, "what cannot be a key is absent");
    const auto before = attempt.reads.emplace(key, seen).first;
    require(before->second == seen, "one key shows one value");
    const bool was_true =
        std::any_of(states_.begin() + static_cast<std::ptrdiff_t>(attempt.begun_at), states_.end(),
                    [&](const State& state) { return attempt.holds_in(state); });
    require(was_true, "what was read was true at once");
  }

  void set(Attempt& attempt, const std::string& key, bool is_large) {
    std::string value = std::to_string(++values_);
    if (is_large) value.append(kMaxValueBytes, '.');
    const WriteStatus status = attempt.transaction->set(key, value);
    if (!is_key(key)) return require(status == WriteStatus::invalid_key, "no key");
    if (is_large) return require(status == WriteStatus::value_too_large, "too large a value");
    Attempt with_it{.transaction = nullptr, .reads = {}, .writes = attempt.writes};
    with_it.writes[key] = value;
    if (status == WriteStatus::namespace_full) {
      require(with_it.applied_to(now()).size() > kMaxKeys, "full only when it is");
    } else {
      require(status == WriteStatus::ok, "a write is taken");
      attempt.writes[key] = value;
    }
  }

  void erase(Attempt& attempt, const std::string& key) {
    const WriteStatus status = attempt.transaction->erase(key);
    if (status == WriteStatus::ok && is_key(key)) attempt.writes[key] = std::nullopt;
    require(status == WriteStatus::ok || !is_key(key), "an erase is taken");
  }

  void commit(Attempt& attempt) {
    const bool is_current = attempt.holds_in(now());
    State next = attempt.applied_to(now());
    const bool has_room = next.size() <= kMaxKeys || next.size() <= now().size();
    switch (attempt.transaction->commit({})) {
      case CommitStatus::done:
        require(is_current && has_room, "done only when nothing stands against it");
        states_.push_back(std::move(next));
        break;
      case CommitStatus::conflict: require(!is_current, "a conflict only with a reason"); break;
      case CommitStatus::full: require(!has_room, "full only when it is"); break;
      case CommitStatus::failed:
      case CommitStatus::pending: require(false, "memory neither fails nor waits"); break;
    }
    begin(attempt);
  }

  void compare() {
    State stored;
    for (const kv::Item& item : store_.scan(space_, {}).items) stored[item.key] = item.value;
    require(stored == now(), "what is stored is what was committed");
    std::uint64_t bytes = 0;
    for (const auto& [key, value] : stored) bytes += kv::entry_bytes(key.size(), value.size());
    require(store_.usage(space_).keys == stored.size(), "keys are counted");
    require(store_.usage(space_).bytes == bytes && store_.total_usage().bytes == bytes,
            "bytes are counted");
  }

  test::FakeClock clock_;
  kv::MemoryStore store_;
  kv::Namespace& space_;
  std::vector<State> states_{State{}};
  std::array<Attempt, 2> attempts_;
  int values_ = 0;
};

}  // namespace
}  // namespace helios::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace helios::fuzz;
  Input input(text_of(data, size));
  Run run;
  for (std::size_t i = 0; i < kMaxSteps && !input.empty(); ++i) run.step(input);
  return 0;
}
