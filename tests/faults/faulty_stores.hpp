// SPDX-License-Identifier: Apache-2.0
#pragma once

// Stores with one planted fault each, in front of a sound one. They exist to prove that the demo
// notices.

#include "kv/store.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helios::test {

// Passes every call on.
class ForwardingStore : public kv::Store {
 public:
  explicit ForwardingStore(std::unique_ptr<kv::Store> inner) : inner_(std::move(inner)) {}

  [[nodiscard]] base::Result<kv::Namespace*> open(std::string_view name) override;
  [[nodiscard]] kv::Namespace* find(std::string_view name) override;
  [[nodiscard]] std::vector<kv::Namespace*> namespaces() override;
  [[nodiscard]] std::vector<kv::ScanPage> scan_ranges(
      kv::Namespace& space, std::span<const kv::ScanRange> ranges) override;
  [[nodiscard]] std::vector<kv::StreamInfo> streams(kv::Namespace& space) override {
    return inner().streams(space);
  }
  [[nodiscard]] base::Result<kv::StreamPage> read_stream(kv::Namespace& space,
                                                         std::string_view stream,
                                                         const kv::StreamRange& range) override {
    return inner().read_stream(space, stream, range);
  }
  [[nodiscard]] kv::Usage usage(kv::Namespace& space) override;
  [[nodiscard]] kv::Usage total_usage() override;
  [[nodiscard]] const kv::Limits& limits() const override;
  [[nodiscard]] std::int64_t now_ms() const override { return inner_->now_ms(); }
  [[nodiscard]] std::string health() const override;
  void fetch(kv::Transaction& transaction, base::Task ready) override;
  void request_exclusive(kv::Namespace& space, kv::OnExclusive granted) override;

 protected:
  // Requires: nothing was called yet.
  void stand_before(std::unique_ptr<kv::Store> inner) { inner_ = std::move(inner); }
  [[nodiscard]] kv::Store& inner() { return *inner_; }

  kv::ReadStatus read(kv::Transaction& transaction, std::string_view key, std::string& out,
                      kv::Stamp& stamp) override;
  kv::ReadStatus scan_keys(kv::Transaction& transaction, const kv::KeyRange& range,
                           kv::KeyPage& page) override;
  kv::WriteStatus admit(const kv::Transaction& transaction, std::string_view key,
                        std::uint64_t value_bytes) override;
  kv::WriteStatus admit_append(const kv::Transaction& transaction, std::string_view stream,
                               std::uint64_t bytes) override;
  kv::CommitStatus commit(kv::Transaction& transaction, kv::MakeOnCommit make_done) override;

 private:
  std::unique_ptr<kv::Store> inner_;
};

// Whatever namespace is named, its keys are those of all others. Sound otherwise: transactions are
// repeated on the one namespace behind it, with the same rules.
class SharedNamespaceStore final : public ForwardingStore {
 public:
  explicit SharedNamespaceStore(std::unique_ptr<kv::Store> inner);

  [[nodiscard]] std::vector<kv::Namespace*> namespaces() override;
  [[nodiscard]] std::vector<kv::ScanPage> scan_ranges(
      kv::Namespace& space, std::span<const kv::ScanRange> ranges) override;

 private:
  kv::ReadStatus read(kv::Transaction& transaction, std::string_view key, std::string& out,
                      kv::Stamp& stamp) override;
  kv::ReadStatus scan_keys(kv::Transaction& transaction, const kv::KeyRange& range,
                           kv::KeyPage& page) override;
  kv::CommitStatus commit(kv::Transaction& transaction, kv::MakeOnCommit make_done) override;

  kv::Namespace& shared_;
};

// Every fourth read of a key gives the value that was there before the last commit, under the
// version of the present one: what was made of it passes validation.
class StaleWriteStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

 private:
  struct History {
    std::uint64_t reads = 0;
    std::optional<std::string> present;
    std::optional<std::string> before;
  };
  using Key = std::pair<const kv::Namespace*, std::string>;

  kv::ReadStatus read(kv::Transaction& transaction, std::string_view key, std::string& out,
                      kv::Stamp& stamp) override;
  kv::CommitStatus commit(kv::Transaction& transaction, kv::MakeOnCommit make_done) override;

  std::mutex mutex_;
  std::map<Key, History> histories_;
};

}  // namespace helios::test
