// SPDX-License-Identifier: Apache-2.0
#include "admin/kv_operations.hpp"

#include "admin/replies.hpp"
#include "kv/transaction.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <bit>
#include <cstring>
#include <string_view>
#include <utility>

namespace helios::admin {
namespace {

// A blind write or a single read meets a conflict only while others commit to the same key; so many
// in a row mean that something is wrong.
constexpr int kMaxAttempts = 100;

// Of one transaction of a purge, so that nobody is held up for long.
constexpr std::uint64_t kPurgedKeys = 500;
constexpr std::uint64_t kPurgedBytes = 4ULL << 20;

static_assert(std::endian::native == std::endian::little);

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
    case kv::WriteStatus::failed:
      return error_reply(503, "the namespace is read-only: the store cannot write");
  }
  std::unreachable();
}

// What all operations share: a transaction that is tried again until it is through. An attempt()
// ends by calling one of finish(), retry_after_fetch() or retry().
class Operation : public std::enable_shared_from_this<Operation> {
 public:
  Operation(const KvContext& context, kv::Namespace& space)
      : context_(context), transaction_(*context.store, space) {
    transaction_.wait_until_kept();
  }
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;
  virtual ~Operation() = default;

  void run() {
    again_ = true;
    while (std::exchange(again_, false)) {
      if (attempts_++ == kMaxAttempts) return finish(too_busy());
      transaction_.reset();
      attempt();
    }
  }

 protected:
  virtual void attempt() = 0;
  virtual void finish(Response response) = 0;
  virtual void on_committed() {}

  void retry() { again_ = true; }

  // The value of `key`, nullopt when there is none. False: the attempt is over.
  bool read(const std::string& key, std::optional<FoundValue>& found) {
    std::string_view value;
    switch (transaction_.get(key, value)) {
      case kv::ReadStatus::value:
        found = FoundValue{std::string(value), transaction_.reads().back().version};
        return true;
      case kv::ReadStatus::absent: found = std::nullopt; return true;
      case kv::ReadStatus::not_resident: fetch(); return false;
      case kv::ReadStatus::doomed: retry(); return false;
      case kv::ReadStatus::failed: finish(store_failed(*context_.store)); return false;
    }
    std::unreachable();
  }

  void commit() {
    after_commit(transaction_.commit([self = shared_from_this()](kv::CommitStatus status) {
      self->context_.home->post([self, status] {
        self->after_commit(status);
        if (self->again_) self->run();
      });
    }));
  }

  void starts_anew() { attempts_ = 0; }

  KvContext context_;
  kv::Transaction transaction_;

 private:
  void fetch() {
    context_.store->fetch(transaction_, [self = shared_from_this()] {
      self->context_.home->post([self] { self->run(); });
    });
  }

  void after_commit(kv::CommitStatus status) {
    switch (status) {
      case kv::CommitStatus::done: return on_committed();
      case kv::CommitStatus::conflict: return retry();
      case kv::CommitStatus::full:
        return finish(error_reply(507, "the namespace or the store is full"));
      case kv::CommitStatus::failed: return finish(store_failed(*context_.store));
      case kv::CommitStatus::pending: return;
    }
  }

  int attempts_ = 0;
  bool again_ = false;
};

class ReadOperation final : public Operation {
 public:
  ReadOperation(const KvContext& context, kv::Namespace& space, std::string key, OnValue found,
                Responder failed)
      : Operation(context, space),
        key_(std::move(key)),
        found_(std::move(found)),
        failed_(std::move(failed)) {}

 private:
  void attempt() override {
    std::optional<FoundValue> value;
    if (read(key_, value)) found_(std::move(value));
  }
  void finish(Response response) override { failed_(std::move(response)); }

  std::string key_;
  OnValue found_;
  Responder failed_;
};

class EditOperation final : public Operation {
 public:
  EditOperation(const KvContext& context, kv::Namespace& space, Edit edit, Responder respond)
      : Operation(context, space), edit_(std::move(edit)), respond_(std::move(respond)) {}

 private:
  void attempt() override {
    std::optional<FoundValue> present;
    const auto* increment = std::get_if<Increment>(&edit_.change);
    const bool has_to_read = increment != nullptr || !edit_.preconditions.empty();
    if (has_to_read && !read(edit_.key, present)) return;
    const kv::Version version = present ? present->version : kv::kAbsent;
    if (!edit_.preconditions.hold(entity_tag(context_.start, version)))
      return finish(error_reply(412, "the key is not as the request wants it"));
    if (increment != nullptr) return add(*increment, present);
    const auto* set = std::get_if<SetValue>(&edit_.change);
    write(set != nullptr ? transaction_.set(edit_.key, set->value, set->expires_at_ms)
                         : transaction_.erase(edit_.key));
  }

  void add(const Increment& increment, const std::optional<FoundValue>& present) {
    const kv::Version version = present ? present->version : kv::kAbsent;
    if (increment.only_if && *increment.only_if != version)
      return finish(error_reply(412, "the key has changed meanwhile"));
    const auto sum = counter_sum(present, increment.by);
    if (!sum) return finish(error_reply(409, sum.error().message));
    sum_ = *sum;
    if (!present && increment.by == 0) return on_committed();  // only asked for
    write(present ? transaction_.update(edit_.key, counter_bytes(*sum))
                  : transaction_.set(edit_.key, counter_bytes(*sum), increment.expires_at_ms));
  }

  void write(kv::WriteStatus status) {
    if (status != kv::WriteStatus::ok) return finish(refusal_of(status));
    commit();
  }

  void on_committed() override {
    if (!sum_) return finish(ok_reply());
    Response response;
    response.body = boost::json::serialize(boost::json::object{{"ok", true}, {"value", *sum_}});
    finish(std::move(response));
  }

  void finish(Response response) override { respond_(std::move(response)); }

  Edit edit_;
  Responder respond_;
  std::optional<std::int64_t> sum_;  // after an Increment
};

class PurgeOperation final : public Operation {
 public:
  PurgeOperation(const KvContext& context, kv::Namespace& space, std::string prefix,
                 Responder respond)
      : Operation(context, space), prefix_(std::move(prefix)), respond_(std::move(respond)) {}

 private:
  void attempt() override {
    const kv::ScanPage page =
        context_.store->scan(transaction_.space(), {prefix_, after_, kPurgedKeys, kPurgedBytes});
    is_last_ = page.complete;
    in_this_step_ = page.items.size();
    if (page.items.empty()) return done();
    for (const kv::Item& item : page.items)
      if (const auto status = transaction_.erase(item.key); status != kv::WriteStatus::ok)
        return finish(refusal_of(status));
    last_ = page.items.back().key;
    commit();
  }

  // The next step comes after what else waits for this thread.
  void on_committed() override {
    deleted_ += in_this_step_;
    after_ = last_;
    if (is_last_) return done();
    starts_anew();
    context_.home->post([self = shared_from_this()] { self->run(); });
  }

  void done() {
    Response response;
    response.body =
        boost::json::serialize(boost::json::object{{"ok", true}, {"deleted", deleted_}});
    finish(std::move(response));
  }

  void finish(Response response) override { respond_(std::move(response)); }

  std::string prefix_;
  Responder respond_;
  std::string after_;
  std::string last_;
  std::uint64_t in_this_step_ = 0;
  std::uint64_t deleted_ = 0;
  bool is_last_ = false;
};

}  // namespace

base::Result<std::int64_t> counter_sum(const std::optional<FoundValue>& present, std::int64_t by) {
  std::int64_t sum = 0;
  if (present && present->value.size() != sizeof(sum))
    return base::fail(base::Errc::invalid, "the value is no counter: it has not 8 bytes");
  if (present) std::memcpy(&sum, present->value.data(), sizeof(sum));
  if (__builtin_add_overflow(sum, by, &sum))
    return base::fail(base::Errc::invalid, "the sum does not fit 64 bits");
  return sum;
}

std::string counter_bytes(std::int64_t value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

void start_read(const KvContext& context, kv::Namespace& space, std::string key, OnValue found,
                Responder failed) {
  std::make_shared<ReadOperation>(context, space, std::move(key), std::move(found),
                                  std::move(failed))
      ->run();
}

void start_edit(const KvContext& context, kv::Namespace& space, Edit edit, Responder respond) {
  std::make_shared<EditOperation>(context, space, std::move(edit), std::move(respond))->run();
}

void start_purge(const KvContext& context, kv::Namespace& space, std::string prefix,
                 Responder respond) {
  std::make_shared<PurgeOperation>(context, space, std::move(prefix), std::move(respond))->run();
}

}  // namespace helios::admin
