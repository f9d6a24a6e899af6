// SPDX-License-Identifier: Apache-2.0
#pragma once

// A stream that stands on another one, as one that encrypts does: what is sent goes out in records, a byte of length and
// then the bytes, each with its bits turned; what is received is looked at record by record. So it holds bytes that its
// handler has not been told, and has to keep the engine's rules by itself.

#include "net/engine/engine.hpp"
#include "net/stream_layer.hpp"

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace helios::net {

inline std::string turn_bits(std::string_view bytes) {
  std::string turned(bytes);
  for (char& byte : turned) byte = static_cast<char>(byte ^ 0x5a);
  return turned;
}

inline std::string to_records(std::string_view bytes) {
  constexpr std::size_t kLongest = 200;
  std::string records;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(kLongest, bytes.size()))) {
    const auto record = bytes.substr(0, kLongest);
    records += static_cast<char>(record.size()) + turn_bits(record);
  }
  return records;
}

// What whole records say; the rest stays in `bytes`.
inline std::deque<std::string> take_records(std::string& bytes) {
  std::deque<std::string> said;
  std::size_t at = 0;
  while (at < bytes.size()) {
    const std::size_t size = static_cast<unsigned char>(bytes[at]);
    if (bytes.size() - at - 1 < size) break;
    said.push_back(turn_bits(std::string_view(bytes).substr(at + 1, size)));
    at += 1 + size;
  }
  bytes.erase(0, at);
  return said;
}

inline std::string from_records(std::string bytes) {
  std::string all;
  for (const auto& record : take_records(bytes)) all += record;
  return bytes.empty() ? all : "half a record";
}

class XorLayer final : public Stream, private StreamHandler, private Deferred {
 public:
  // `turns` counts how often it had something to report outside an event of the stream below.
  static StreamPtr make(Engine& engine, StreamPtr below, StreamHandler& handler,
                        LossReport loss_report, int& turns) {
    auto* layer = new XorLayer(engine, std::move(below), handler, loss_report, turns);
    layer->below_->report_to(*layer);
    layer->below_->resume_receiving();
    return StreamPtr(layer);
  }

  // ---- Stream
  void report_to(StreamHandler& handler) override { handler_ = &handler; }
  void send(std::span<const std::string_view> pieces) override {
    for (const auto piece : pieces) {
      const auto records = to_records(piece);
      const std::string_view view(records);
      below_->send({&view, 1});
    }
  }
  [[nodiscard]] std::size_t pending_bytes() const override { return below_->pending_bytes(); }
  [[nodiscard]] bool congested() const override { return below_->congested(); }
  void pause_receiving() override {
    is_paused_ = true;
    below_->pause_receiving();
  }
  void resume_receiving() override {
    is_paused_ = false;
    below_->resume_receiving();
    if (!said_.empty() || has_end()) engine_.defer(*this);
  }
  void finish_sending() override { below_->finish_sending(); }
  void detach(DetachHandler&) override { std::abort(); }  // see Stream
  void linger() override {
    let_go([](StreamPtr below) { close_when_flushed(std::move(below)); });
  }
  void release() override {
    let_go([](StreamPtr below) { below.reset(); });
  }

 private:
  XorLayer(Engine& engine, StreamPtr below, StreamHandler& handler, LossReport loss_report,
           int& turns)
      : engine_(engine),
        below_(std::move(below)),
        handler_(&handler),
        loss_report_(loss_report),
        turns_(turns) {}

  // Code of it may be running: it goes when the round is over.
  template <typename End>
  void let_go(End end) {
    handler_ = nullptr;
    end(std::exchange(below_, nullptr));
    engine_.dispose(std::unique_ptr<Deferred>(this));
  }

  // ---- StreamHandler, of the stream below
  void on_received(std::string_view bytes) override {
    read_ += bytes;
    for (auto& record : take_records(read_)) said_.push_back(std::move(record));
    report();
  }
  void on_eof() override {
    has_ended_ = true;
    report();
  }
  void on_lost(int error) override {
    loss_ = error;
    if (loss_report_ == LossReport::at_once) said_.clear();
    report();
  }
  void on_drained() override { handler_->on_drained(); }

  void on_turn() override {
    ++turns_;
    report();
  }

  [[nodiscard]] bool has_end() const { return has_ended_ || loss_.has_value(); }

  // Every handler may pause it, or let it go.
  void report() {
    while (handler_ != nullptr && !is_paused_ && !said_.empty()) {
      const auto record = std::move(said_.front());
      said_.pop_front();
      handler_->on_received(record);
    }
    if (handler_ == nullptr || !said_.empty()) return;
    if (loss_ && (!is_paused_ || loss_report_ == LossReport::at_once)) {
      std::exchange(handler_, nullptr)->on_lost(*loss_);
    } else if (!is_paused_ && std::exchange(has_ended_, false)) {
      handler_->on_eof();
    }
  }

  Engine& engine_;
  StreamPtr below_;
  StreamHandler* handler_;  // null: it was let go, or told of the loss
  LossReport loss_report_;
  int& turns_;
  std::string read_;              // not a whole record yet
  std::deque<std::string> said_;  // not reported yet
  bool is_paused_ = false;
  bool has_ended_ = false;
  std::optional<int> loss_;
};

// For the drivers. Lifetime: both outlive what it makes.
inline MakeLayer xor_layer(Engine& engine, int& turns) {
  return [&engine, &turns](StreamPtr below, StreamHandler& handler, LossReport loss_report) {
    return XorLayer::make(engine, std::move(below), handler, loss_report, turns);
  };
}

}  // namespace helios::net
