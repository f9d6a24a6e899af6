// SPDX-License-Identifier: Apache-2.0
//
// Goal: a connection can be taken out of its stream at any moment, and whoever has it then goes on with it: not a byte of
// either direction is lost or comes twice. Between engines of all kinds, over real sockets; and on the simulated engine.

#include "support/fake_clock.hpp"
#include "unit/net/net_support.hpp"
#include "unit/net/simulated_engine.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>

namespace helios::net {
namespace {

struct Taker final : DetachHandler {
  void on_detached(Detached connection) override {
    EXPECT_FALSE(detached);
    detached = std::move(connection);
    if (stream != nullptr) stream->reset();
  }
  std::optional<Detached> detached;
  StreamPtr* stream = nullptr;  // to release inside
};

class DetachTest : public OnEveryEngine {
 protected:
  DetachTest() : engine_(make_engine()), other_(make_engine_for_test(TestEngine::epoll)) {
    stream_ = engine_->adopt(std::move(pair_.near), handler_, LossReport::after_received);
  }

  Detached detach() {
    stream_->detach(taker_);
    EXPECT_FALSE(taker_.detached);
    EXPECT_TRUE(run_until(*engine_, [&] { return taker_.detached.has_value(); }));
    stream_.reset();
    return std::move(*taker_.detached);
  }
  // Goes on in `engine`, as the manual says.
  void take_up(Engine& engine, Detached connection) {
    stream_ = engine.adopt(std::move(connection.connection), handler_, LossReport::after_received);
    send_text(*stream_, connection.unsent);
    if (!connection.unread.empty()) handler_.on_received(connection.unread);
  }
  std::string send_until_congested() {
    std::string all;
    while (!stream_->congested()) {
      const std::string chunk(10'000, static_cast<char>('a' + all.size() / 10'000 % 26));
      send_text(*stream_, chunk);
      all += chunk;
    }
    return all;
  }

  TcpPair pair_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Engine> other_;
  RecordingHandler handler_;
  Taker taker_;
  StreamPtr stream_;
};
HELIOS_ON_ALL_ENGINES(DetachTest);

TEST_P(DetachTest, idle_connection_goes_on_in_another_engine) {
  run_until_idle(*engine_);
  auto connection = detach();
  EXPECT_TRUE(connection.connection);
  EXPECT_EQ(connection.unread + connection.unsent, "");
  EXPECT_EQ(connection.error, 0);
  take_up(*other_, std::move(connection));
  send_all(pair_.far.get(), "hello");
  EXPECT_TRUE(run_until(*other_, [&] { return handler_.received == "hello"; }));
  send_text(*stream_, "goodbye");
  EXPECT_TRUE(run_until(*other_, [&] { return stream_->pending_bytes() == 0; }));
  EXPECT_EQ(receive_exactly(pair_.far.get(), 7), "goodbye");
}

TEST_P(DetachTest, connection_that_was_adopted_in_the_same_round_can_be_detached) {
  send_all(pair_.far.get(), "early");
  take_up(*other_, detach());
  EXPECT_TRUE(run_until(*other_, [&] { return handler_.received == "early"; }));
}

TEST_P(DetachTest, what_was_received_and_not_reported_comes_along) {
  stream_->pause_receiving();
  std::string all;
  for (int i = 0; i < 20; ++i) {
    const std::string part(5000, static_cast<char>('a' + i));
    send_all(pair_.far.get(), part);
    run_until_idle(*engine_);
    all += part;
  }
  auto connection = detach();
  // epoll leaves it in the kernel.
  EXPECT_EQ(connection.unread.empty(), GetParam() == TestEngine::epoll);
  take_up(*other_, std::move(connection));
  EXPECT_TRUE(run_until(*other_, [&] { return handler_.received == all; }));
}

TEST_P(DetachTest, what_the_kernel_has_not_taken_comes_along) {
  const auto all = send_until_congested();
  for (int round = 0; round < 3; ++round) engine_->run_once(0);
  auto connection = detach();
  EXPECT_GT(connection.unsent.size(), 0U);
  EXPECT_EQ(engine_->unsent_bytes(), 0U);
  take_up(*other_, std::move(connection));
  std::thread reader([&] { EXPECT_TRUE(receive_exactly(pair_.far.get(), all.size()) == all); });
  EXPECT_TRUE(run_until(*other_, [&] { return stream_->pending_bytes() == 0; }));
  reader.join();
}

TEST_P(DetachTest, end_of_the_peer_shows_itself_again) {
  ::shutdown(pair_.far.get(), SHUT_WR);
  EXPECT_TRUE(run_until(*engine_, [&] { return handler_.eofs == 1; }));
  run_until_idle(*engine_);
  take_up(*other_, detach());
  EXPECT_TRUE(run_until(*other_, [&] { return handler_.eofs == 2; }));
  send_text(*stream_, "answer");
  EXPECT_TRUE(run_until(*other_, [&] { return stream_->pending_bytes() == 0; }));
  EXPECT_EQ(receive_exactly(pair_.far.get(), 6), "answer");
}

TEST_P(DetachTest, loss_that_nobody_was_told_is_said) {
  stream_->pause_receiving();
  run_until_idle(*engine_);
  reset_connection(std::move(pair_.far));
  run_until_idle(*engine_);
  EXPECT_EQ(handler_.losses, 0);
  EXPECT_EQ(detach().error, ECONNRESET);
}

TEST_P(DetachTest, stream_that_is_released_before_closes_and_reports_nothing) {
  run_until_idle(*engine_);
  stream_->detach(taker_);
  stream_.reset();
  run_until_idle(*engine_);
  EXPECT_FALSE(taker_.detached);
  char byte = 0;
  EXPECT_LE(::recv(pair_.far.get(), &byte, 1, 0), 0);
}

TEST_P(DetachTest, engine_that_ends_before_closes_it) {
  run_until_idle(*engine_);
  stream_->detach(taker_);
  static_cast<void>(stream_.release());
  engine_.reset();
  EXPECT_FALSE(taker_.detached);
  char byte = 0;
  EXPECT_LE(::recv(pair_.far.get(), &byte, 1, 0), 0);
}

TEST_P(DetachTest, stream_may_be_released_inside) {
  run_until_idle(*engine_);
  taker_.stream = &stream_;
  stream_->detach(taker_);
  EXPECT_TRUE(run_until(*engine_, [&] { return taker_.detached.has_value(); }));
  EXPECT_FALSE(stream_);
  EXPECT_TRUE(sleeps(*engine_));
}

std::string receive_some(int fd) {
  std::string bytes(65536, '\0');
  const auto received = ::recv(fd, bytes.data(), bytes.size(), 0);
  bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(received, 0)));
  return bytes;
}

// Sends back what it receives, and moves to the other engine in the middle of it, again and again.
class Wanderer final : public StreamHandler, public DetachHandler {
 public:
  Wanderer(Engine& first, Engine& second) : engines_{&first, &second} {}

  void take_up(Detached connection) {
    stream =
        engines_[at_]->adopt(std::move(connection.connection), *this, LossReport::after_received);
    send_text(*stream, connection.unsent);
    if (!connection.unread.empty()) on_received(connection.unread);
  }
  void run() {
    while (stream) {
      engines_[at_]->run_once(60'000);
      if (arrived_) {
        stream.reset();
        engines_[at_]->run_once(0);
        at_ = 1 - at_;
        take_up(*std::exchange(arrived_, std::nullopt));
      }
    }
    while (engines_[at_]->lingering() > 0) engines_[at_]->run_once(60'000);
  }

  void on_received(std::string_view bytes) override {
    stream->send({&bytes, 1});
    if (stream->congested()) stream->pause_receiving();
    received_ += bytes.size();
    if (received_ >= next_move_) {
      next_move_ = received_ + 20'000;
      ++moves;
      stream->detach(*this);
    }
  }
  void on_eof() override { close_when_flushed(std::move(stream)); }
  void on_lost(int) override { stream.reset(); }
  void on_drained() override { stream->resume_receiving(); }
  void on_detached(Detached connection) override { arrived_ = std::move(connection); }

  StreamPtr stream;
  int moves = 0;

 private:
  Engine* engines_[2];
  std::size_t at_ = 0;
  std::size_t received_ = 0;
  std::size_t next_move_ = 1;
  std::optional<Detached> arrived_;
};

TEST_P(DetachTest, connection_that_moves_all_the_time_loses_nothing_and_repeats_nothing) {
  TcpPair pair;
  std::string text;
  while (text.size() < 2'000'000) text += std::to_string(text.size()) + ' ';
  std::string echoed;
  std::atomic<std::size_t> heard = 0;
  Wanderer wanderer(*engine_, *other_);
  wanderer.take_up({std::move(pair.near), "", "", 0});
  // Never far ahead: an engine that reads ahead would be through with it in a few moves.
  std::thread writer([&] {
    for (std::size_t sent = 0, size = 1; sent < text.size();
         sent += size, size = size * 7 % 40'961) {
      for (auto now = heard.load(); sent > now + 40'000; now = heard.load()) heard.wait(now);
      send_all(pair.far.get(), std::string_view(text).substr(sent, size));
    }
    ::shutdown(pair.far.get(), SHUT_WR);
  });
  std::thread reader([&] {
    for (std::string part; !(part = receive_some(pair.far.get())).empty();) {
      echoed += part;
      heard = echoed.size();
      heard.notify_one();
    }
    heard = text.size();
    heard.notify_one();
  });
  wanderer.run();
  writer.join();
  reader.join();
  EXPECT_TRUE(echoed == text);
  EXPECT_GT(wanderer.moves, 20);
}

// Sends back what it receives, on a thread of its own, until the peer ends.
class OtherWorker final : public StreamHandler {
 public:
  explicit OtherWorker(Engine& engine) : engine_(engine) {}
  ~OtherWorker() override { thread_.join(); }

  // Any thread. The connection comes by the mailbox, as everything does that is for another worker.
  void hand(Detached connection) {
    engine_.mailbox().post([this, connection = std::move(connection)]() mutable {
      stream_ = engine_.adopt(std::move(connection.connection), *this, LossReport::after_received);
      send_text(*stream_, connection.unsent);
      on_received(connection.unread);
    });
  }

  void on_received(std::string_view bytes) override { stream_->send({&bytes, 1}); }
  void on_eof() override {
    stream_.reset();
    is_over_ = true;
  }
  void on_lost(int) override { on_eof(); }
  void on_drained() override {}

 private:
  Engine& engine_;
  StreamPtr stream_;
  bool is_over_ = false;
  std::thread thread_{[this] {
    while (!is_over_) engine_.run_once(60'000);
  }};
};

TEST_P(DetachTest, connection_goes_on_with_the_worker_of_another_thread) {
  for (const bool is_same_kind : {true, false}) {
    TcpPair pair;
    RecordingHandler nobody;
    auto stream = engine_->adopt(std::move(pair.near), nobody, LossReport::after_received);
    stream->pause_receiving();
    send_all(pair.far.get(), "said to the first, ");
    run_until_idle(*engine_);
    const auto engine = is_same_kind ? make_engine() : make_engine_for_test(TestEngine::epoll);
    OtherWorker other(*engine);
    Taker taker;
    stream->detach(taker);
    EXPECT_TRUE(run_until(*engine_, [&] { return taker.detached.has_value(); }));
    stream.reset();
    other.hand(std::move(*taker.detached));
    send_all(pair.far.get(), "answered by the second");
    EXPECT_EQ(receive_exactly(pair.far.get(), 41), "said to the first, answered by the second");
    ::shutdown(pair.far.get(), SHUT_WR);
    EXPECT_EQ(nobody.received, "");
  }
}

TEST(SimulatedDetach, hands_over_what_is_unread_and_unsent_and_reports_nothing_else) {
  test::FakeClock clock;
  SimulatedEngine engine(clock);
  RecordingHandler handler;
  Taker taker;
  auto stream = engine.adopt(Fd(), handler, LossReport::at_once);
  auto& peer = *engine.streams.at(0);
  peer.reads(3);
  send_text(*stream, "answer");
  stream->pause_receiving();
  peer.says("question");
  engine.settle();
  stream->detach(taker);
  EXPECT_FALSE(taker.detached);
  engine.settle();
  ASSERT_TRUE(taker.detached);
  EXPECT_EQ(taker.detached->unread, "question");
  EXPECT_EQ(peer.got() + taker.detached->unsent, "answer");
  EXPECT_EQ(handler.chunks + handler.eofs + handler.losses + handler.drained, 0);
}

}  // namespace
}  // namespace helios::net
