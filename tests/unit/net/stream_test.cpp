// SPDX-License-Identifier: Apache-2.0
//
// Streams over real loopback sockets: what is sent arrives, a reader that stops is noticed, and every
// way in which a connection ends is told once.

#include "unit/net/net_support.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace helios::net {
namespace {

class StreamTest : public OnEveryEngine {
 protected:
  StreamTest() : engine_(make_engine()) { adopt(LossReport::at_once); }

  void adopt(LossReport loss_report) {
    stream_ = engine_->adopt(std::move(pair_.near), handler_, loss_report);
  }

  // Sends until the stream is congested; returns everything that was handed to it.
  std::string send_until_congested() {
    std::string all;
    while (!stream_->congested()) {
      const std::string chunk(10'000, static_cast<char>('a' + all.size() / 10'000 % 26));
      send_text(*stream_, chunk);
      all += chunk;
    }
    return all;
  }

  // Until the kernel takes no more: the window of the other end grows for a while.
  void fill() {
    do {
      send_until_congested();
      run_until_idle(*engine_);
    } while (!stream_->congested());
  }

  // Reads at the far end, while the engine runs, until `count` bytes have come.
  std::string drain_far(std::size_t count) {
    std::string result;
    run_until(*engine_, [&] {
      std::string chunk(100'000, '\0');
      const auto received = ::recv(pair_.far.get(), chunk.data(), chunk.size(), MSG_DONTWAIT);
      if (received > 0) {
        result.append(chunk, 0, static_cast<std::size_t>(received));
      }
      return result.size() >= count || received == 0;
    });
    return result;
  }

  TcpPair pair_;
  std::unique_ptr<Engine> engine_;
  RecordingHandler handler_;
  StreamPtr stream_;
};
HELIOS_ON_ALL_ENGINES(StreamTest);

TEST_P(StreamTest, bytes_arrive_both_ways) {
  send_all(pair_.far.get(), "to the engine");
  EXPECT_TRUE(run_until(*engine_, [&] { return handler_.received == "to the engine"; }));
  const std::string_view pieces[] = {"from ", "", "the ", "engine"};
  stream_->send(pieces);
  EXPECT_TRUE(run_until(*engine_, [&] { return stream_->pending_bytes() == 0; }));
  EXPECT_EQ(receive_exactly(pair_.far.get(), 15), "from the engine");
}

TEST_P(StreamTest, many_pieces_keep_their_order) {
  std::vector<std::string> texts;
  std::string all;
  for (int i = 0; i < 1000; ++i) {
    texts.push_back(std::to_string(i) + ",");
    all += texts.back();
  }
  const std::vector<std::string_view> pieces(texts.begin(), texts.end());
  stream_->send(pieces);
  EXPECT_TRUE(run_until(*engine_, [&] { return stream_->pending_bytes() == 0; }));
  EXPECT_EQ(receive_exactly(pair_.far.get(), all.size()), all);
}

TEST_P(StreamTest, chunks_are_no_larger_than_the_buffer) {
  const std::string large(200'000, 'x');
  send_all(pair_.far.get(), large);
  EXPECT_TRUE(run_until(*engine_, [&] { return handler_.received.size() == large.size(); }));
  EXPECT_GE(handler_.chunks, 4);
}

TEST_P(StreamTest, reader_that_stops_makes_the_stream_congested_and_loses_nothing) {
  const auto all = send_until_congested();
  EXPECT_GT(stream_->pending_bytes(), kHighWaterBytes);
  EXPECT_LT(stream_->pending_bytes(), kHighWaterBytes + 20'000);
  run_until_idle(*engine_);
  EXPECT_EQ(handler_.drained, 0);
  EXPECT_EQ(drain_far(all.size()), all);
  EXPECT_TRUE(run_until(*engine_, [&] { return handler_.drained == 1; }));
  EXPECT_EQ(stream_->pending_bytes(), 0U);
  EXPECT_FALSE(stream_->congested());
}

TEST_P(StreamTest, unsent_bytes_are_counted_and_given_back) {
  EXPECT_EQ(engine_->unsent_bytes(), 0U);
  const auto sent = send_until_congested();
  EXPECT_GE(engine_->unsent_bytes(), stream_->pending_bytes());
  EXPECT_EQ(drain_far(sent.size()).size(), sent.size());
  EXPECT_TRUE(run_until(*engine_, [&] { return engine_->unsent_bytes() == 0; }));
  send_until_congested();
  EXPECT_GT(engine_->unsent_bytes(), 0U);
  stream_.reset();
  EXPECT_TRUE(run_until(*engine_, [&] { return engine_->unsent_bytes() == 0; }));
}

TEST_P(StreamTest, unsent_bytes_of_a_lingering_stream_are_counted_until_it_ends) {
  fill();
  close_when_flushed(std::move(stream_));
  run_until_idle(*engine_);
  EXPECT_GT(engine_->unsent_bytes(), 0U);
  pair_.far.reset();
  EXPECT_TRUE(run_until(*engine_, [&] { return engine_->unsent_bytes() == 0; }));
}

TEST_P(StreamTest, stream_that_never_catches_up_keeps_its_order) {
  std::string sent = send_until_congested();
  std::string got;
  for (int round = 0; round < 50; ++round) {
    got += receive_exactly(pair_.far.get(), 50'000);
    run_until_idle(*engine_);
    if (!stream_->congested()) {
      sent += send_until_congested();
    }
  }
  got += drain_far(sent.size() - got.size());
  EXPECT_TRUE(got == sent);
}

TEST_P(StreamTest, paused_stream_receives_nothing_until_resumed) {
  stream_->pause_receiving();
  send_all(pair_.far.get(), "later");
  run_until_idle(*engine_);
  EXPECT_EQ(handler_.received, "");
  stream_->resume_receiving();
  EXPECT_EQ(handler_.received, "");
  EXPECT_TRUE(run_until(*engine_, [&] { return handler_.received == "later"; }));
}

TEST_P(StreamTest, half_close_of_the_peer_is_an_eof_after_its_bytes) {
  send_all(pair_.far.get(), "last");
  ::shutdown(pair_.far.get(), SHUT_WR);
  EXPECT_TRUE(run_until(*engine_, [&] { return handler_.eofs == 1; }));
  EXPECT_EQ(handler_.received, "last");
  send_text(*stream_, "answer");
  EXPECT_TRUE(run_until(*engine_, [&] { return stream_->pending_bytes() == 0; }));
  EXPECT_EQ(receive_exactly(pair_.far.get(), 6), "answer");
  run_until_idle(*engine_);
  EXPECT_EQ(handler_.eofs, 1);
  EXPECT_EQ(handler_.losses, 0);
}

TEST_P(StreamTest, eof_is_not_told_while_paused) {
  stream_->pause_receiving();
  ::shutdown(pair_.far.get(), SHUT_WR);
  run_until_idle(*engine_);
  EXPECT_EQ(handler_.eofs, 0);
  stream_->resume_receiving();
  EXPECT_TRUE(run_until(*engine_, [&] { return handler_.eofs == 1; }));
}

TEST_P(StreamTest, half_closed_peer_lets_the_loop_sleep) {
  ::shutdown(pair_.far.get(), SHUT_WR);
  EXPECT_TRUE(run_until(*engine_, [&] { return handler_.eofs == 1; }));
  EXPECT_TRUE(sleeps(*engine_));
}

TEST_P(StreamTest, half_closed_peer_of_a_paused_stream_lets_the_loop_sleep) {
  stream_->pause_receiving();
  send_all(pair_.far.get(), "unread");
  ::shutdown(pair_.far.get(), SHUT_WR);
  EXPECT_TRUE(sleeps(*engine_));
}

TEST_P(StreamTest, reset_is_a_loss) {
  reset_connection(std::move(pair_.far));
  EXPECT_TRUE(run_until(*engine_, [&] { return handler_.losses == 1; }));
  EXPECT_EQ(handler_.last_error, ECONNRESET);
  send_text(*stream_, "into the void");
  run_until_idle(*engine_);
  EXPECT_EQ(handler_.losses, 1);
}

TEST_P(StreamTest, reset_is_told_at_once_even_while_paused) {
  stream_->pause_receiving();
  send_all(pair_.far.get(), "unread");
  run_until_idle(*engine_);
  reset_connection(std::move(pair_.far));
  EXPECT_TRUE(run_until(*engine_, [&] { return handler_.losses == 1; }));
  EXPECT_EQ(handler_.received, "");
}

TEST_P(StreamTest, loss_after_received_waits_for_the_bytes_before_it) {
  TcpPair pair;
  RecordingHandler handler;
  const auto stream = engine_->adopt(std::move(pair.near), handler, LossReport::after_received);
  stream->pause_receiving();
  send_all(pair.far.get(), "last words");
  run_until_idle(*engine_);
  reset_connection(std::move(pair.far));
  run_until_idle(*engine_);
  EXPECT_EQ(handler.losses, 0);
  stream->resume_receiving();
  EXPECT_TRUE(run_until(*engine_, [&] { return handler.losses == 1; }));
  EXPECT_EQ(handler.received, "last words");
}

TEST_P(StreamTest, sending_to_a_closed_peer_ends_in_a_loss) {
  pair_.far.reset();
  EXPECT_TRUE(run_until(*engine_, [&] {
    send_text(*stream_, "anyone there?");
    return handler_.losses == 1;
  }));
}

TEST_P(StreamTest, finish_sending_half_closes_after_everything_was_sent) {
  const auto all = send_until_congested();
  stream_->finish_sending();
  send_text(*stream_, "too late");
  EXPECT_EQ(drain_far(all.size() + 1), all);
  send_all(pair_.far.get(), "still heard");
  EXPECT_TRUE(run_until(*engine_, [&] { return handler_.received == "still heard"; }));
}

TEST_P(StreamTest, released_stream_closes_and_reports_nothing) {
  send_all(pair_.far.get(), "never seen");
  stream_.reset();
  run_until_idle(*engine_);
  EXPECT_EQ(handler_.received, "");
  char byte = 0;
  EXPECT_LE(::recv(pair_.far.get(), &byte, 1, 0), 0);
}

TEST_P(StreamTest, close_when_flushed_delivers_everything_first) {
  const auto all = send_until_congested();
  close_when_flushed(std::move(stream_));
  EXPECT_EQ(engine_->lingering(), 1U);
  EXPECT_EQ(drain_far(all.size() + 1), all);
  EXPECT_EQ(engine_->lingering(), 1U);
  pair_.far.reset();
  EXPECT_TRUE(run_until(*engine_, [&] { return engine_->lingering() == 0; }));
  EXPECT_EQ(handler_.drained + handler_.losses + handler_.eofs, 0);
}

TEST_P(StreamTest, close_when_flushed_is_not_overtaken_by_a_reset) {
  // Bytes that nobody will read make the kernel reset a connection that is closed at once.
  stream_->pause_receiving();
  send_all(pair_.far.get(), std::string(50'000, 'x'));
  run_until_idle(*engine_);
  send_text(*stream_, "FATAL");
  close_when_flushed(std::move(stream_));
  run_until_idle(*engine_);
  send_all(pair_.far.get(), std::string(50'000, 'y'));
  run_until_idle(*engine_);
  EXPECT_EQ(receive_exactly(pair_.far.get(), 100), "FATAL");
  pair_.far.reset();
  EXPECT_TRUE(run_until(*engine_, [&] { return engine_->lingering() == 0; }));
}

TEST_P(StreamTest, peer_that_never_ends_is_given_up) {
  close_when_flushed(std::move(stream_));
  EXPECT_EQ(engine_->lingering(), 1U);
  EXPECT_TRUE(run_until(*engine_, [&] { return engine_->lingering() == 0; }));
}

// Sends back what it receives, as fast as the peer takes it, and ends when the peer does.
class Echo : public StreamHandler {
 public:
  void on_received(std::string_view bytes) override {
    stream->send({&bytes, 1});
    if (stream->congested()) {
      stream->pause_receiving();
    }
  }
  void on_eof() override { close_when_flushed(std::move(stream)); }
  void on_lost(int) override { stream.reset(); }
  void on_drained() override { stream->resume_receiving(); }

  StreamPtr stream;
};

std::string counted_text(std::size_t size) {
  std::string text;
  while (text.size() < size) {
    text += std::to_string(text.size()) + ' ';
  }
  return text;
}

// Between two rounds the engine sleeps until something happens: an event that it misses, or waits for
// in vain, lets this test run into its time limit.
TEST_P(StreamTest, echo_of_a_fast_peer_never_stands_still) {
  Echo echo;
  TcpPair pair;
  const auto text = counted_text(4'000'000);
  std::string echoed;
  echo.stream = engine_->adopt(std::move(pair.near), echo, LossReport::after_received);
  std::thread writer([&] {
    for (std::size_t sent = 0, size = 1; sent < text.size();
         sent += size, size = size * 7 % 40'961) {
      send_all(pair.far.get(), std::string_view(text).substr(sent, size));
    }
    ::shutdown(pair.far.get(), SHUT_WR);
  });
  std::thread reader([&] { echoed = receive_exactly(pair.far.get(), text.size() + 1); });
  while (echo.stream || engine_->lingering() > 0) {
    engine_->run_once(3'600'000);
  }
  writer.join();
  reader.join();
  EXPECT_TRUE(echoed == text);
}

// Streams that are released by handlers, their own and others, in the middle of a round.
class Quitter : public RecordingHandler {
 public:
  void on_received(std::string_view bytes) override {
    RecordingHandler::on_received(bytes);
    victims.clear();
  }
  std::vector<StreamPtr> victims;
};

using StreamRelease = OnEveryEngine;
HELIOS_ON_ALL_ENGINES(StreamRelease);

TEST_P(StreamRelease, handler_may_release_its_own_stream_and_others) {
  const auto engine = make_engine();
  TcpPair pairs[3];
  Quitter handler;
  for (auto& pair : pairs) {
    handler.victims.push_back(engine->adopt(std::move(pair.near), handler, LossReport::at_once));
    send_all(pair.far.get(), "x");
  }
  EXPECT_TRUE(run_until(*engine, [&] { return handler.chunks > 0; }));
  run_until_idle(*engine);
  EXPECT_EQ(handler.chunks, 1);
}

}  // namespace
}  // namespace helios::net
