// SPDX-License-Identifier: Apache-2.0
#include "app/plugin_state.hpp"

#include "anchors/anchor_file.hpp"
#include "anchors/anchor_post.hpp"
#include "app/hmac_key.hpp"
#include "app/metrics_sources.hpp"
#include "app/store_settings.hpp"

#include <filesystem>
#include <system_error>
#include <utility>

namespace helios::app {

PluginState::PluginState(const config::Config& config, const base::Clock& clock, base::Log& log,
                         base::FaultSink& faults)
    : clock_(clock),
      log_(log),
      faults_(faults),
      store_(to_limits(config), clock_),
      usage_(store_, log_),
      hmac_key_(random_hmac_key()),
      anchors_({.read_head = [this](const auto& id) { return read_head(id); },
                .append = anchors::append_line,
                .post = anchors::post_json},
               clock_, log_, &faults_) {}

base::Result<void> PluginState::open(const config::State& state) {
  if (state.directory.empty()) return {};
  auto durabilities = to_durabilities(state);
  if (!durabilities) return std::unexpected(durabilities.error());
  auto journal = kv::rocksdb::DiskJournal::open({.directory = state.directory,
                                                 .salvage = state.salvage,
                                                 .archive = state.archive,
                                                 .faults = &faults_},
                                                clock_, log_);
  if (!journal) return std::unexpected(journal.error());
  const auto key = hmac_key_of(state.directory);
  if (!key) return std::unexpected(key.error());
  hmac_key_ = *key;
  store_.attach(**journal, *std::move(durabilities));
  journal_ = *std::move(journal);
  if (auto recovered = journal_->recover(store_); !recovered) return recovered;
  journal_->start();
  if (journal_->archive() == nullptr) return {};
  archiver_ = std::make_unique<kv::rocksdb::Archiver>(store_, *journal_, to_archiver_options(state),
                                                      clock_, log_, &faults_);
  archiver_->start();
  return {};
}

void PluginState::start_anchors(const config::State& state) {
  anchors::prepare_to_post();
  anchors_.set(*to_anchor_plans(state));
  anchors_.start();
}

void PluginState::set(const config::Config& config) {
  store_.set_limits(to_limits(config));
  if (archiver_) archiver_->set(to_archiver_options(config.state));
  anchors_.set(*to_anchor_plans(config.state));
}

// Nobody may ever touch a namespace again whose entries have expired.
void PluginState::look_after() {
  store_.remove_expired();
  std::vector<std::string> troubles = anchors_.health();
  if (archiver_ && !archiver_->health().empty()) troubles.push_back(archiver_->health());
  usage_.look(is_on_disk(), troubles);
}

void PluginState::close() {
  anchors_.stop();
  if (archiver_) archiver_->stop();
  if (journal_) journal_->stop(store_.last_used_version());
}

base::Result<void> PluginState::back_up(const std::string& path) {
  std::error_code error;
  // What is wrong with the folder, the copy will say.
  const auto parent = std::filesystem::path(path).parent_path();
  if (std::filesystem::create_directories(parent, error))
    std::filesystem::permissions(parent, std::filesystem::perms::owner_all, error);
  if (auto copied = store_.backup(path); !copied) return copied;
  if (auto written = write_hmac_key(path, hmac_key_); !written) return written;
  log_.write(base::LogLevel::info, "state: copied to " + path);
  return {};
}

std::vector<metrics::Source> PluginState::metrics_sources() {
  std::vector<metrics::Source> sources;
  sources.push_back(store_metrics(store_));
  if (journal_) sources.push_back(journal_metrics(*journal_));
  if (archiver_) sources.push_back(archive_metrics(*archiver_));
  sources.push_back(anchor_metrics(anchors_));
  return sources;
}

// What the disk could still lose is no anchor.
base::Result<std::optional<kv::StreamRecord>> PluginState::read_head(const anchors::StreamId& id) {
  kv::Namespace* space = store_.find(id.space);
  if (space == nullptr) return std::optional<kv::StreamRecord>();
  kv::RecordNumber next = 1;
  for (const kv::StreamInfo& stream : store_.streams(*space)) {
    if (stream.name == id.stream) next = stream.extent.next;
  }
  if (next == 1) return std::optional<kv::StreamRecord>();
  const auto read = [&](kv::RecordNumber number) {
    const kv::StreamRange range{.from = number, .max_records = 1};
    return journal_ ? journal_->read_stream(id.space, id.stream, range, kv::Safety::on_disk)
                    : store_.read_stream(*space, id.stream, range);
  };
  auto page = read(next - 1);
  // The writer may not have got that far.
  if (page && page->records.empty() && page->extent.next > 1) page = read(page->extent.next - 1);
  if (!page) return std::unexpected(page.error());
  if (page->records.empty()) return std::optional<kv::StreamRecord>();
  return std::optional(std::move(page->records.front()));
}

}  // namespace helios::app
