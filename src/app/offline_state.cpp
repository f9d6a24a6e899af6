// SPDX-License-Identifier: Apache-2.0
#include "app/offline_state.hpp"

#include "admin/replies.hpp"
#include "admin/state_page.hpp"
#include "admin/target.hpp"
#include "admin/tokens.hpp"
#include "base/executor.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

namespace helios::app {
namespace {

using kv::rocksdb::DiskJournal;
using kv::rocksdb::OpenMode;

// What root writes belongs to root, and the proxy, as somebody else, could not start on it any more.
base::Result<void> check_owner(const std::string& directory) {
  struct stat found{};
  if (::geteuid() != 0 || ::stat(directory.c_str(), &found) != 0 || found.st_uid == 0) return {};
  const std::string user = std::to_string(found.st_uid);
  return base::fail(
      base::Errc::invalid,
      "state directory " + directory + " belongs to user " + user +
          ", who could not open it any more after a change by root: change it as that "
          "user (setpriv --reuid " +
          user + " --regid " + std::to_string(found.st_gid) +
          " --clear-groups heliosproxy kv ...)");
}

}  // namespace

// Work from the threads of the journal, done by the thread that waits for an answer.
class OfflineState::Inbox final : public base::Executor {
 public:
  void post(base::Task task) override {
    {
      const std::scoped_lock lock(mutex_);
      tasks_.push_back(std::move(task));
    }
    posted_.notify_one();
  }

  void run_one() {
    std::unique_lock lock(mutex_);
    posted_.wait(lock, [this] { return !tasks_.empty(); });
    base::Task task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
  }

 private:
  std::mutex mutex_;
  std::condition_variable posted_;
  std::deque<base::Task> tasks_;
};

OfflineState::OfflineState(const kv::Limits& limits)
    : inbox_(std::make_shared<Inbox>()),
      store_(limits, clock_),
      routes_(admin::KvContext{&store_, inbox_}),
      streams_(admin::StreamContext{&store_, inbox_, inbox_.get()}) {}

OfflineState::~OfflineState() = default;

base::Result<std::unique_ptr<OfflineState>> OfflineState::open(const OfflineOptions& options) {
  if (!options.read_only) {
    if (auto owned = check_owner(options.directory); !owned) return std::unexpected(owned.error());
  }
  std::unique_ptr<OfflineState> state(new OfflineState(options.limits));
  auto journal =
      DiskJournal::open({.directory = options.directory,
                         .mode = options.read_only ? OpenMode::read_only : OpenMode::existing,
                         .salvage = options.salvage,
                         .archive = options.archive},
                        state->clock_, state->log_);
  if (!journal) return std::unexpected(journal.error());
  // A single command has nothing to gain from syncing each write: close() syncs them all.
  state->store_.attach(**journal, {.standard = kv::Durability::relaxed});
  state->journal_ = *std::move(journal);
  if (auto recovered = state->journal_->recover(state->store_); !recovered)
    return std::unexpected(recovered.error());
  if (!options.read_only) state->journal_->start();
  return state;
}

admin::Response OfflineState::answer(admin::Request request) {
  const std::string path(admin::split_target(request.target).path);
  if (path == "/admin/state") return admin::state_reply(store_);
  std::optional<admin::Response> answered;
  admin::Responder respond = [&answered](admin::Response response) {
    answered = std::move(response);
  };
  if (path.starts_with("/admin/kv/")) {
    routes_.handle(std::move(request), admin::unlimited_grant(), std::move(respond));
  } else if (path.starts_with("/admin/streams/")) {
    streams_.handle(request, admin::unlimited_grant(), std::move(respond));
  } else {
    return admin::error_reply(404, "only a running proxy does this (--url ...)");
  }
  while (!answered) inbox_->run_one();
  return *std::move(answered);
}

base::Result<kv::StreamPage> OfflineState::read_stream(std::string_view space,
                                                       std::string_view stream,
                                                       const kv::StreamRange& range) {
  kv::Namespace* const found = store_.find(space);
  if (found == nullptr) return base::fail(base::Errc::not_found, "namespace not found");
  const auto streams = store_.streams(*found);
  if (std::ranges::find(streams, stream, &kv::StreamInfo::name) == streams.end())
    return base::fail(base::Errc::not_found, "stream not found");
  return store_.read_stream(*found, stream, range);
}

base::Result<void> OfflineState::close() {
  journal_->stop(store_.last_used_version());
  const std::string problem = journal_->health();
  return problem.empty() ? base::Result<void>() : base::fail(base::Errc::unavailable, problem);
}

}  // namespace helios::app
