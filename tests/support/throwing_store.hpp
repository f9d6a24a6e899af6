// SPDX-License-Identifier: Apache-2.0
#pragma once

// A store whose private calls throw when a test says so; otherwise the store behind it.

#include "kv/store.hpp"
#include "kv/transaction.hpp"

#include <atomic>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helios::test {

class ThrowingStore final : public kv::Store {
 public:
  enum class Call { none, read, admit, commit };

  explicit ThrowingStore(kv::Store& inner) : inner_(inner) {}

  // The next such call throws std::runtime_error("planted").
  void plant(Call call) { planted_ = call; }

  [[nodiscard]] base::Result<kv::Namespace*> open(std::string_view name) override {
    return inner_.open(name);
  }
  [[nodiscard]] kv::Namespace* find(std::string_view name) override { return inner_.find(name); }
  [[nodiscard]] std::vector<kv::Namespace*> namespaces() override { return inner_.namespaces(); }
  [[nodiscard]] std::vector<kv::ScanPage> scan_ranges(
      kv::Namespace& space, std::span<const kv::ScanRange> ranges) override {
    return inner_.scan_ranges(space, ranges);
  }
  [[nodiscard]] std::vector<kv::StreamInfo> streams(kv::Namespace& space) override {
    return inner_.streams(space);
  }
  [[nodiscard]] base::Result<kv::StreamPage> read_stream(kv::Namespace& space,
                                                         std::string_view stream,
                                                         const kv::StreamRange& range) override {
    return inner_.read_stream(space, stream, range);
  }
  [[nodiscard]] kv::Usage usage(kv::Namespace& space) override { return inner_.usage(space); }
  [[nodiscard]] kv::Usage total_usage() override { return inner_.total_usage(); }
  [[nodiscard]] const kv::Limits& limits() const override { return inner_.limits(); }
  [[nodiscard]] std::int64_t now_ms() const override { return inner_.now_ms(); }
  [[nodiscard]] std::string health() const override { return inner_.health(); }
  void fetch(kv::Transaction& transaction, base::Task ready) override {
    inner_.fetch(transaction, std::move(ready));
  }
  void request_exclusive(kv::Namespace& space, kv::OnExclusive granted) override {
    inner_.request_exclusive(space, std::move(granted));
  }

 private:
  void pass(Call call) {
    if (planted_ != call) return;
    planted_ = Call::none;
    throw std::runtime_error("planted");
  }
  kv::ReadStatus read(kv::Transaction& transaction, std::string_view key, std::string& out,
                      kv::Stamp& stamp) override {
    pass(Call::read);
    return read_from(inner_, transaction, key, out, stamp);
  }
  kv::ReadStatus scan_keys(kv::Transaction& transaction, const kv::KeyRange& range,
                           kv::KeyPage& page) override {
    return scan_from(inner_, transaction, range, page);
  }
  kv::WriteStatus admit(const kv::Transaction& transaction, std::string_view key,
                        std::uint64_t value_bytes) override {
    pass(Call::admit);
    return admit_by(inner_, transaction, key, value_bytes);
  }
  kv::WriteStatus admit_append(const kv::Transaction& transaction, std::string_view stream,
                               std::uint64_t bytes) override {
    return admit_append_by(inner_, transaction, stream, bytes);
  }
  kv::CommitStatus commit(kv::Transaction& transaction, kv::MakeOnCommit make_done) override {
    pass(Call::commit);
    return commit_to(inner_, transaction, std::move(make_done));
  }

  kv::Store& inner_;
  std::atomic<Call> planted_ = Call::none;
};

}  // namespace helios::test
