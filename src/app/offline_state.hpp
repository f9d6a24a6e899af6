// SPDX-License-Identifier: Apache-2.0
#pragma once

// A state directory that no proxy has open, asked as the admin interface of a proxy is: by requests for
// keys (admin/kv_routes.hpp), for streams (admin/stream_routes.hpp) and for /admin/state, with the same answers.
//
// The directory is locked meanwhile, and everything in it is in memory. Quotas count as in a proxy;
// classes do not: every namespace is kept, whatever a proxy's configuration makes of it.
//
// Flow: 1 open(); 2 answer(), as often as wanted; 3 close(). Thread rule: one thread.

#include "admin/kv_routes.hpp"
#include "admin/message.hpp"
#include "admin/stream_routes.hpp"
#include "app/system_clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "kv/limits.hpp"
#include "kv/memory_store.hpp"
#include "kv/rocksdb/disk_journal.hpp"
#include "kv/stream.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace helios::app {

struct OfflineOptions {
  std::string directory;
  // Leaves the directory as it is, and refuses every change.
  bool read_only = true;
  // Reads what is damaged, up to the damage. Requires: read_only.
  bool salvage = false;
  std::string archive =
      {};  // folder to which records of streams have moved; empty: they are not shown
  kv::Limits limits = {};
};

class OfflineState {
 public:
  // Errors: not_found, invalid (no state directory, damaged, of a newer format), unavailable (in use, no
  // rights); the message says what to do.
  [[nodiscard]] static base::Result<std::unique_ptr<OfflineState>> open(
      const OfflineOptions& options);
  ~OfflineState();

  // Returns when what the request changed was handed to the operating system.
  [[nodiscard]] admin::Response answer(admin::Request request);

  // The page that a request for these records of a stream shows. `space`: a namespace. Errors: not_found (neither that
  // namespace nor that stream), unavailable (what the disk says).
  [[nodiscard]] base::Result<kv::StreamPage> read_stream(std::string_view space,
                                                         std::string_view stream,
                                                         const kv::StreamRange& range);

  // Returns when everything is on disk. Errors: unavailable; what was answered before may be lost then.
  [[nodiscard]] base::Result<void> close();

 private:
  class Inbox;
  // Whoever asks gets the errors; there is nobody who would read a log.
  class NoLog final : public base::Log {
   public:
    void write(base::LogLevel /*level*/, std::string_view /*line*/) override {}
    [[nodiscard]] bool enabled(base::LogLevel /*level*/) const override { return false; }
  };

  explicit OfflineState(const kv::Limits& limits);

  SystemClock clock_;
  NoLog log_;
  std::shared_ptr<Inbox> inbox_;
  std::unique_ptr<kv::rocksdb::DiskJournal> journal_;
  kv::MemoryStore store_;
  admin::KvRoutes routes_;
  admin::StreamRoutes streams_;
};

}  // namespace helios::app
