// SPDX-License-Identifier: Apache-2.0

#include "net/cancel_sender.hpp"

#include "net/server_connector.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace helios::net {

// One request: reach the server, send, wait for the server's end. As well protected as the session that it is for.
class CancelSender::Run final : public ServerHandler, public StreamHandler {
 public:
  Run(Engine& engine, tls::Work& work, const ServerAddress& to, const pgwire::CancelKey& key,
      std::function<void()> on_end)
      : engine_(engine),
        packet_(pgwire::serialize_cancel_request(key)),
        on_end_(std::move(on_end)) {
    time_limit_ = engine_.start_timer(kCancelTimeoutMs, [this] { on_end_(); });
    try {
      connector_ = std::make_unique<ServerConnector>(
          engine_, work, to.target, std::make_shared<const std::vector<Endpoint>>(1, *to.endpoint),
          *this);
    } catch (...) {
      engine_.cancel_timer(time_limit_);
      throw;
    }
  }
  ~Run() override { close(); }

  void close() {
    engine_.cancel_timer(time_limit_);
    stream_.reset();
    connector_->close();
  }

  base::Task done;

 private:
  void on_server_reached(StreamPtr stream, SharedEndpoint, const tls::Facts*) override {
    stream_ = std::move(stream);
    stream_->report_to(*this);
    const std::string_view packet(packet_);
    stream_->send({&packet, 1});
  }
  void on_server_refused(const std::string&) override { on_end_(); }
  void on_connect_fault(const std::exception_ptr&) override { on_end_(); }

  void on_received(std::string_view) override {}
  void on_eof() override { on_end_(); }
  void on_lost(int) override { on_end_(); }
  void on_drained() override {}

  Engine& engine_;
  std::string packet_;
  std::function<void()> on_end_;
  std::unique_ptr<ServerConnector> connector_;
  StreamPtr stream_;  // goes before the connector does
  TimerId time_limit_;
};

CancelSender::CancelSender(Engine& engine, tls::Work& work) : engine_(engine), work_(work) {}

CancelSender::~CancelSender() = default;

bool CancelSender::send(const ServerAddress& to, const pgwire::CancelKey& key, base::Task done) {
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

void CancelSender::start(const ServerAddress& to, const pgwire::CancelKey& key, base::Task done) {
  const auto id = next_id_++;
  auto run = std::make_unique<Run>(engine_, work_, to, key, [this, id] { finish(id); });
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
