// SPDX-License-Identifier: Apache-2.0
#include "app/block_keeper.hpp"

#include "base/rfc3339.hpp"
#include "base/text.hpp"
#include "kv/namespace_name.hpp"
#include "kv/transaction.hpp"

#include <algorithm>
#include <charconv>
#include <memory>
#include <utility>

namespace helios::app {
namespace {

using blocks::Block;

constexpr std::string_view kKeyPrefix = "block:";
constexpr std::string_view kLostReason = "(the reason cannot be read)";
// A timer is set for no longer: clocks of machines that sleep stand still.
constexpr std::int64_t kMaxWaitMs = 60'000;
constexpr std::uint64_t kMaxLoadedBytes = 8U << 20;
constexpr std::size_t kMaxLoggedBytes = 300;

std::string key_of(const Block& block) {
  return std::string(kKeyPrefix) + std::string(blocks::to_word(block.kind)) + ":" + block.name;
}

std::string value_of(const Block& block) {
  return std::to_string(block.since_ms) + " " + block.reason;
}

// nullopt: it names nobody.
std::optional<Block> read_block(const kv::Item& item) {
  const std::string_view key = std::string_view(item.key).substr(kKeyPrefix.size());
  const std::size_t colon = key.find(':');
  const auto kind = blocks::parse_kind(key.substr(0, colon));
  if (!kind || colon == std::string_view::npos) return std::nullopt;
  Block block{.kind = *kind,
              .name = std::string(key.substr(colon + 1)),
              .reason = std::string(kLostReason),
              .since_ms = 0,
              .expires_at_ms = item.expires_at_ms,
              .is_kept = true};
  const char* const end = item.value.data() + item.value.size();
  const auto [stop, error] = std::from_chars(item.value.data(), end, block.since_ms);
  if (error == std::errc() && stop != end && *stop == ' ') block.reason.assign(stop + 1, end);
  if (blocks::check(block)) return block;
  block.reason = kLostReason;
  if (blocks::check(block)) return block;
  return std::nullopt;
}

std::string who(const Block& block) {
  return std::string(blocks::to_word(block.kind)) + " \"" +
         base::escape_for_log(block.name, kMaxLoggedBytes) + "\"";
}

}  // namespace

// One block, or the end of one, on its way.
struct BlockKeeper::Change {
  Block block;
  bool is_end = false;
  admin::OnBlocked done;
  admin::BlockOutcome outcome = {};
  int missing = 2;  // it is in force; it is written down, or will not be
};

BlockKeeper::BlockKeeper(kv::Store& store, base::Executor& control, base::Log& log, bool has_disk)
    : store_(store), control_(control), log_(log), has_disk_(has_disk) {}

// ---- what is there

void BlockKeeper::load() {
  kv::Namespace* space = store_.find(kv::kProxyNamespace);
  if (space == nullptr) return;
  const kv::ScanPage page = store_.scan(
      *space,
      {.prefix = kKeyPrefix, .max_items = blocks::kMaxBlocks, .max_bytes = kMaxLoadedBytes});
  for (const kv::Item& item : page.items) take(item);
  if (list_.now().size() == 0) return;
  log_.write(base::LogLevel::info,
             "blocks: " + std::to_string(list_.now().size()) + " are in force, as before");
  show();
}

void BlockKeeper::take(const kv::Item& item) {
  auto block = read_block(item);
  if (block && list_.put(*std::move(block))) return;
  log_.write(base::LogLevel::error, "blocks: what is kept as \"" +
                                        base::escape_for_log(item.key, kMaxLoggedBytes) +
                                        "\" names nobody, and blocks nobody");
}

void BlockKeeper::start(Steps steps) {
  steps_ = std::move(steps);
  set_timer();
}

void BlockKeeper::show() {
  blocks::SharedBlockSet shown = list_.snapshot();
  const std::lock_guard lock(mutex_);
  shown_.swap(shown);
}

std::vector<Block> BlockKeeper::read() const {
  blocks::SharedBlockSet shown;
  {
    const std::lock_guard lock(mutex_);
    shown = shown_;
  }
  return shown == nullptr ? std::vector<Block>() : shown->all();
}

metrics::Source BlockKeeper::metrics_source() const {
  return [this](std::vector<metrics::Family>& out) {
    metrics::Family family{
        "helios_blocks", "Blocks in force, by what they block", metrics::Kind::gauge, {}};
    blocks::SharedBlockSet shown;
    {
      const std::lock_guard lock(mutex_);
      shown = shown_;
    }
    for (const blocks::Kind kind : blocks::kKinds) {
      const std::size_t count = shown == nullptr ? 0 : shown->count(kind);
      family.samples.push_back(
          {{{"kind", std::string(blocks::to_word(kind))}}, static_cast<double>(count), {}});
    }
    out.push_back(std::move(family));
  };
}

// ---- changes

void BlockKeeper::block(admin::BlockRequest request, admin::OnBlocked done) {
  const std::int64_t now_ms = store_.now_ms();
  auto change = std::make_shared<Change>();
  change->block = {.kind = request.kind,
                   .name = std::move(request.name),
                   .reason = std::move(request.reason),
                   .since_ms = now_ms,
                   .expires_at_ms = request.for_ms ? now_ms + *request.for_ms : blocks::kNeverOver};
  change->done = std::move(done);
  if (auto put = list_.put(change->block); !put)
    return change->done(std::unexpected(std::move(put.error())));
  carry_out(std::move(change));
  set_timer();
}

void BlockKeeper::unblock(blocks::Kind kind, const std::string& name, admin::OnBlocked done) {
  const Block* block = list_.now().find(kind, name);
  if (block == nullptr) {
    return done(base::fail(base::Errc::not_found, std::string(blocks::to_word(kind)) + " \"" +
                                                      name + "\" is not blocked"));
  }
  auto change = std::make_shared<Change>();
  change->block = *block;
  change->is_end = true;
  change->done = std::move(done);
  list_.remove(kind, name);
  carry_out(std::move(change));
}

void BlockKeeper::carry_out(std::shared_ptr<Change> change) {
  show();
  steps_.put_in_force(list_.snapshot(), [this, change](std::size_t ended) {
    change->outcome.sessions_ended = ended;
    end(*change);
  });
  write(change);
}

// Null: there is no room for it.
kv::Namespace* BlockKeeper::open_space() {
  const auto opened = store_.open(kv::kProxyNamespace);
  if (!opened) return nullptr;
  store_.prefer_durability(**opened, kv::Durability::strict);
  return *opened;
}

// It reads nothing, so it meets no conflict.
void BlockKeeper::write(const std::shared_ptr<Change>& change) {
  kv::Namespace* space = has_disk_ ? open_space() : nullptr;
  if (space == nullptr) return on_written(*change, false);
  const auto transaction = std::make_shared<kv::Transaction>(store_, *space);
  const std::string key = key_of(change->block);
  const kv::WriteStatus written =
      change->is_end ? transaction->erase(key)
                     : transaction->set(key, value_of(change->block), change->block.expires_at_ms);
  if (written != kv::WriteStatus::ok) return on_written(*change, false);
  transaction->wait_until_kept();
  const kv::CommitStatus status = transaction->commit([this, change,
                                                       transaction](kv::CommitStatus late) {
    control_.post([this, change, late] { on_written(*change, late == kv::CommitStatus::done); });
  });
  if (status != kv::CommitStatus::pending) on_written(*change, status == kv::CommitStatus::done);
}

void BlockKeeper::on_written(Change& change, bool is_kept) {
  change.outcome.is_kept = is_kept;
  if (is_kept && !change.is_end) {
    list_.note_kept(change.block);
    show();
  } else if (!is_kept && has_disk_) {
    change.outcome.warning = change.is_end
                                 ? "it could not be taken off the disk: after a restart the block "
                                   "is there again, unblock once more then"
                                 : "it could not be written to disk: the block holds until the "
                                   "proxy ends";
  }
  end(change);
}

void BlockKeeper::end(Change& change) {
  if (--change.missing != 0) return;
  const Block& block = change.block;
  std::string line = "block: " + who(block);
  if (change.is_end) {
    line += " is not blocked any more";
  } else {
    line += " is blocked";
    if (block.expires_at_ms != blocks::kNeverOver)
      line += " until " + base::to_rfc3339(block.expires_at_ms);
    line += ", " + std::to_string(change.outcome.sessions_ended) + " sessions ended";
    line += change.outcome.is_kept ? "" : ", kept until the proxy ends";
    line += ": " + base::escape_for_log(block.reason, blocks::kMaxReasonBytes);
  }
  log_.write(base::LogLevel::info, line);
  if (change.is_end)
    steps_.on_unblocked(block, "taken away");
  else
    steps_.on_blocked(block, change.outcome.sessions_ended);
  if (!change.outcome.warning.empty())
    log_.write(base::LogLevel::warning, "block: " + who(block) + ": " + change.outcome.warning);
  change.done(std::move(change.outcome));
}

// ---- time

// The earlier one is enough: it sets the next.
void BlockKeeper::set_timer() {
  const auto next_ms = list_.next_expiry_ms();
  if (!next_ms) return;
  const std::int64_t now_ms = store_.now_ms();
  const std::int64_t due_ms = std::clamp(*next_ms, now_ms, now_ms + kMaxWaitMs);
  if (timer_ms_ && *timer_ms_ <= due_ms) return;
  timer_ms_ = due_ms;
  steps_.call_after(due_ms - now_ms, [this] {
    timer_ms_.reset();
    expire();
    set_timer();
  });
}

// The store lets go of what it keeps of them by itself.
void BlockKeeper::expire() {
  const std::vector<Block> over = list_.remove_expired(store_.now_ms());
  if (over.empty()) return;
  show();
  steps_.put_in_force(list_.snapshot(), [](std::size_t) {});
  for (const Block& block : over) {
    log_.write(base::LogLevel::info, "block: " + who(block) + " is over");
    steps_.on_unblocked(block, "expired");
  }
}

}  // namespace helios::app
