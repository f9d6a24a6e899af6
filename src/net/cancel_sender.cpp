// SPDX-License-Identifier: Apache-2.0

#include "net/cancel_sender.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace helios::net {

// One request: dial, send, wait for the server's end.
class CancelSender::Run final : public DialHandler, public StreamHandler {
 public:
  Run(Engine& engine, const Endpoint& to, const pgwire::CancelKey& key,
      std::function<void()> on_end)
      : engine_(engine),
        packet_(pgwire::serialize_cancel_request(key)),
        on_end_(std::move(on_end)),
        target_(std::make_shared<const ServerTarget>(ServerTarget{
            .endpoints = {to}, .connect_timeout_ms = kCancelTimeoutMs, .health = {}})) {
    time_limit_ = engine_.start_timer(kCancelTimeoutMs, [this] { on_end_(); });
    try {
      dialer_ = std::make_unique<Dialer>(engine_, target_, *this);
    } catch (...) {
      engine_.cancel_timer(time_limit_);
      throw;
    }
  }
  ~Run() override { close(); }

  void close() {
    engine_.cancel_timer(time_limit_);
    dialer_.reset();
    stream_.reset();
  }

  base::Task done;

 private:
  void on_dialled(Fd connection, const Endpoint&) override {
    stream_ = engine_.adopt(std::move(connection), *this, LossReport::at_once);
    const std::string_view packet(packet_);
    stream_->send({&packet, 1});
  }
  void on_dial_failed(const std::string&) override { on_end_(); }

  void on_received(std::string_view) override {}
  void on_eof() override { on_end_(); }
  void on_lost(int) override { on_end_(); }
  void on_drained() override {}

  Engine& engine_;
  std::string packet_;
  std::function<void()> on_end_;
  const SharedTarget target_;
  std::unique_ptr<Dialer> dialer_;
  StreamPtr stream_;
  TimerId time_limit_;
};

CancelSender::CancelSender(Engine& engine) : engine_(engine) {}

CancelSender::~CancelSender() = default;

bool CancelSender::send(const Endpoint& to, const pgwire::CancelKey& key, base::Task done) {
  if (runs_.size() < kMaxCancelsInFlight) {
    start(to, key, std::move(done));
    return true;
  }
  if (waiting_.size() >= kMaxCancelsWaiting) {
    done();
    return false;
  }
  waiting_.push_back({to, key, std::move(done)});
  return true;
}

void CancelSender::start(const Endpoint& to, const pgwire::CancelKey& key, base::Task done) {
  const auto id = next_id_++;
  auto run = std::make_unique<Run>(engine_, to, key, [this, id] { finish(id); });
  run->done = std::move(done);
  runs_.emplace(id, std::move(run));
}

void CancelSender::finish(std::uint64_t id) {
  // Code of the run is on the stack: what is left of it lives on until the next one has finished.
  auto node = runs_.extract(id);
  if (node.empty()) {
    return;
  }
  finished_ = std::move(node.mapped());
  finished_->close();
  auto done = std::move(finished_->done);
  done();
  if (!waiting_.empty() && runs_.size() < kMaxCancelsInFlight) {
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    start(next.to, next.key, std::move(next.done));
  }
}

}  // namespace helios::net
