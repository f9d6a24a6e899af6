// SPDX-License-Identifier: Apache-2.0
#pragma once

// A journal that keeps nothing: a test says how far it has come, and when it breaks.

#include "kv/journal.hpp"

#include <map>
#include <string>
#include <utility>

namespace helios::test {

// Thread rule: one thread.
class ManualJournal final : public kv::Journal {
 public:
  // Everything up to `ticket` is handed over and on disk; calls those who waited for it.
  void reach(kv::Ticket ticket) {
    reached_ = ticket;
    call(ticket, true);
  }
  void break_down() {
    is_broken_ = true;
    call(kv::kEveryTicket, false);
  }
  void fall_behind() { is_behind_ = true; }
  [[nodiscard]] kv::Ticket last() const { return last_; }
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

  kv::Ticket append(const kv::Applied& /*applied*/) override { return ++last_; }
  kv::Ticket clear(std::string_view /*space*/) override { return ++last_; }
  kv::Ticket drop(std::string_view /*space*/, const kv::DroppedRecords& /*records*/) override {
    return ++last_;
  }
  [[nodiscard]] kv::Ticket reached(kv::Safety /*safety*/) const override { return reached_; }
  [[nodiscard]] kv::WaitStatus wait(kv::Ticket ticket, kv::Safety /*safety*/,
                                    kv::MakeOnReached make_on_reached) override {
    if (reached_ >= ticket) return kv::WaitStatus::reached;
    if (is_broken_) return kv::WaitStatus::failed;
    waiting_.emplace(ticket, make_on_reached());
    return kv::WaitStatus::pending;
  }
  [[nodiscard]] bool is_writable() const override { return !is_broken_; }
  [[nodiscard]] bool is_behind() const override { return is_behind_; }
  [[nodiscard]] std::string health() const override { return is_broken_ ? "broken" : ""; }
  [[nodiscard]] kv::Version last_used_version() const override { return kv::kAbsent; }
  [[nodiscard]] base::Result<kv::StreamPage> read_stream(std::string_view /*space*/,
                                                         std::string_view /*stream*/,
                                                         const kv::StreamRange& /*range*/,
                                                         kv::Safety /*safety*/) override {
    return kv::StreamPage{};
  }
  [[nodiscard]] base::Result<void> backup(const std::string& /*path*/) override { return {}; }

 private:
  void call(kv::Ticket ticket, bool is_reached) {
    std::multimap<kv::Ticket, kv::OnReached> due;
    while (!waiting_.empty() && waiting_.begin()->first <= ticket) {
      due.insert(waiting_.extract(waiting_.begin()));
    }
    for (auto& [reached, callback] : due) callback(is_reached);
  }

  kv::Ticket last_ = kv::kNoTicket;
  kv::Ticket reached_ = kv::kNoTicket;
  bool is_broken_ = false;
  bool is_behind_ = false;
  std::multimap<kv::Ticket, kv::OnReached> waiting_;
};

}  // namespace helios::test
