// SPDX-License-Identifier: Apache-2.0
#include "admin/kv_operations.hpp"

#include "admin/replies.hpp"
#include "kv/transaction.hpp"

#include <string_view>
#include <utility>

namespace helios::admin {
namespace {

// A blind write or a single read meets a conflict only while others commit to the same key; so many
// in a row mean that something is wrong.
constexpr int kMaxAttempts = 100;

Response store_failed(const kv::Store& store) {
  const std::string reason = store.health();
  return error_reply(503, reason.empty() ? "the store failed" : "the store failed: " + reason);
}

Response too_busy() { return error_reply(503, "the key changes too fast: try again"); }

Response refusal_of(kv::WriteStatus status) {
  switch (status) {
    case kv::WriteStatus::ok: return ok_reply();
    case kv::WriteStatus::invalid_key: return error_reply(413, "kv_max_key_bytes exceeded");
    case kv::WriteStatus::value_too_large: return error_reply(413, "kv_max_value_bytes exceeded");
    case kv::WriteStatus::transaction_too_large:
      return error_reply(413, "key and value exceed what one transaction may write");
    case kv::WriteStatus::namespace_full:
      return error_reply(507, "the namespace is full: its limit of keys or bytes is reached");
    case kv::WriteStatus::store_full:
      return error_reply(507, "the store is full: its limit of bytes in total is reached");
  }
  std::unreachable();
}

class ReadOperation : public std::enable_shared_from_this<ReadOperation> {
 public:
  ReadOperation(const KvContext& context, kv::Namespace& space, std::string key, OnValue found,
                Responder failed)
      : context_(context),
        key_(std::move(key)),
        found_(std::move(found)),
        failed_(std::move(failed)),
        transaction_(*context.store, space) {}

  void run() {
    while (attempts_++ < kMaxAttempts) {
      transaction_.reset();
      std::string_view value;
      switch (transaction_.get(key_, value)) {
        case kv::ReadStatus::value: return found_(std::string(value));
        case kv::ReadStatus::absent: return found_(std::nullopt);
        case kv::ReadStatus::not_resident: return fetch();
        case kv::ReadStatus::doomed: continue;
        case kv::ReadStatus::failed: return failed_(store_failed(*context_.store));
      }
    }
    failed_(too_busy());
  }

 private:
  void fetch() {
    context_.store->fetch(transaction_, [self = shared_from_this()] {
      self->context_.home->post([self] { self->run(); });
    });
  }

  KvContext context_;
  std::string key_;
  OnValue found_;
  Responder failed_;
  kv::Transaction transaction_;
  int attempts_ = 0;
};

class WriteOperation : public std::enable_shared_from_this<WriteOperation> {
 public:
  WriteOperation(const KvContext& context, kv::Namespace& space, std::string key,
                 std::optional<std::string> value, Responder respond)
      : context_(context),
        key_(std::move(key)),
        value_(std::move(value)),
        respond_(std::move(respond)),
        transaction_(*context.store, space) {}

  void run() {
    while (attempts_++ < kMaxAttempts) {
      transaction_.reset();
      const kv::WriteStatus written =
          value_ ? transaction_.set(key_, *value_) : transaction_.erase(key_);
      if (written != kv::WriteStatus::ok) return respond_(refusal_of(written));
      const kv::CommitStatus status = commit();
      if (status != kv::CommitStatus::conflict) return finish(status);
    }
    respond_(too_busy());
  }

 private:
  kv::CommitStatus commit() {
    return transaction_.commit([self = shared_from_this()](kv::CommitStatus status) {
      self->context_.home->post([self, status] { self->finish(status); });
    });
  }

  void finish(kv::CommitStatus status) {
    switch (status) {
      case kv::CommitStatus::done: return respond_(ok_reply());
      case kv::CommitStatus::conflict: return run();
      case kv::CommitStatus::full:
        return respond_(error_reply(507, "the namespace or the store is full"));
      case kv::CommitStatus::failed: return respond_(store_failed(*context_.store));
      case kv::CommitStatus::pending: return;
    }
  }

  KvContext context_;
  std::string key_;
  std::optional<std::string> value_;
  Responder respond_;
  kv::Transaction transaction_;
  int attempts_ = 0;
};

}  // namespace

void start_read(const KvContext& context, kv::Namespace& space, std::string key, OnValue found,
                Responder failed) {
  std::make_shared<ReadOperation>(context, space, std::move(key), std::move(found),
                                  std::move(failed))
      ->run();
}

void start_write(const KvContext& context, kv::Namespace& space, std::string key,
                 std::optional<std::string> value, Responder respond) {
  std::make_shared<WriteOperation>(context, space, std::move(key), std::move(value),
                                   std::move(respond))
      ->run();
}

}  // namespace helios::admin
