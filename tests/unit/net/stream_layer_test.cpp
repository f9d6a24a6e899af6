// SPDX-License-Identifier: Apache-2.0
//
// Goal: a stream that stands on another one takes its place under a driver between two events. Not a byte is lost, told
// twice or read by the wrong one, however they are cut, and the engine's two rules hold for it too.

#include "unit/net/driven.hpp"
#include "unit/net/xor_layer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <stdexcept>
#include <thread>

namespace helios::net {
namespace {

const std::vector<std::size_t> kCuts{1, 2, 3, 5, 7, 64, 1000, 65536};

std::string ssl_request() { return int32(8) + int32(80877103); }

// ---- Under a ClientDriver.

class Layered : public Driven {
 public:
  using Driven::Driven;

  // From here on the client speaks in records.
  void put_layer() {
    plain_bytes_ = client().got().size();
    driver->put_layer_on_client(xor_layer(engine, turns));
    has_layer_ = true;
  }
  void client_says(std::string_view bytes) {
    client().says(has_layer_ ? to_records(bytes) : std::string(bytes));
    engine.settle();
  }
  void say(const Part& part) {
    if (part.is_client) {
      client_says(part.bytes);
    } else {
      Driven::say(part);
    }
  }
  void dial() {
    client_says(startup_packet());
    engine.connect_dialled();
    engine.settle();
  }
  [[nodiscard]] std::string client_heard() {
    const auto& got = client().got();
    return got.substr(0, plain_bytes_) + from_records(got.substr(plain_bytes_));
  }

  int turns = 0;

 private:
  std::size_t plain_bytes_ = 0;
  bool has_layer_ = false;
};

TEST(StreamLayer, takes_the_place_of_the_clients_stream_before_the_first_byte_of_the_next_stage) {
  for (const auto cut : kCuts) {
    SCOPED_TRACE(cut);
    Layered layered;
    layered.engine.cut = cut;
    layered.client_says(ssl_request());
    EXPECT_EQ(layered.client().got(), "N");
    layered.put_layer();
    layered.dial();
    for (const Part& part : kConversation) layered.say(part);
    EXPECT_EQ(layered.client_heard(), "N" + said_by(false));
    EXPECT_EQ(layered.server().got(), said_by(true));
    EXPECT_EQ(layered.complaint(), "");
  }
}

TEST(StreamLayer, may_come_between_any_two_events) {
  for (std::size_t at = 0; at < kConversation.size(); ++at) {
    SCOPED_TRACE(at);
    Layered layered;
    layered.engine.cut = 3;
    layered.dial();
    for (std::size_t part = 0; part < kConversation.size(); ++part) {
      if (part == at) layered.put_layer();
      layered.say(kConversation[part]);
    }
    EXPECT_EQ(layered.client_heard(), said_by(false));
    EXPECT_EQ(layered.server().got(), said_by(true));
    EXPECT_EQ(layered.complaint(), "");
  }
}

TEST(StreamLayer, keeps_what_the_driver_does_not_want_yet_and_tells_it_in_a_turn_of_its_own) {
  Layered layered;
  layered.put_layer();
  layered.dial();
  layered.say({false, kGreeting});
  layered.say({true, query("COPY t FROM STDIN")});
  layered.say({false, message('G', std::string_view("\0\0\0", 3))});
  const std::size_t before = layered.server().got().size();
  layered.server().reads(0);
  std::string data;
  for (int i = 0; i < 20; ++i) data += message('d', std::string(50'000, 'y'));
  layered.client_says(data);
  EXPECT_EQ(layered.server().got().size(), before);
  EXPECT_GT(layered.server().pending_bytes(), kHighWaterBytes);
  EXPECT_LT(layered.server().pending_bytes(), data.size());
  layered.server().reads(std::string::npos);
  layered.engine.settle();
  EXPECT_TRUE(layered.server().got().substr(before) == data);
  EXPECT_GT(layered.turns, 0);
}

TEST(StreamLayer, leaves_nothing_behind_whoever_goes_and_whenever) {
  for (const bool is_client : {true, false}) {
    for (const bool is_break : {true, false}) {
      for (std::size_t at = 0; at < kConversation.size(); ++at) {
        SCOPED_TRACE(testing::Message()
                     << "client " << is_client << ", break " << is_break << ", behind part " << at);
        Layered layered;
        layered.put_layer();
        layered.dial();
        for (std::size_t part = 0; part <= at; ++part) {
          if (!layered.server().is_closed()) layered.say(kConversation[part]);
        }
        SimulatedStream& who = is_client ? layered.client() : layered.server();
        is_break ? who.breaks() : who.ends();
        layered.engine.settle();
        if (is_client && !is_break) layered.server().ends();
        EXPECT_EQ(layered.complaint(), "");
      }
    }
  }
}

TEST(StreamLayer, session_that_cannot_have_it_ends) {
  Driven driven;
  driven.dial();
  driven.say({false, kGreeting});
  driven.driver->put_layer_on_client([](StreamPtr, StreamHandler&, LossReport) -> StreamPtr {
    throw std::runtime_error("no memory for it");
  });
  EXPECT_EQ(driven.complaint(), "");
}

TEST(StreamLayer, comes_too_late_for_a_client_that_is_gone) {
  Driven driven;
  driven.client().breaks();
  driven.engine.settle();
  int turns = 0;
  driven.driver->put_layer_on_client(xor_layer(driven.engine, turns));
  EXPECT_EQ(driven.complaint(), "");
}

// ---- Under a LinkDriver.

// Holds a link, and speaks in records from the beginning, or behind the server's answer to a question.
class Holder final : public LinkDriver::Holder {
 public:
  Holder(DriverWorld& world, bool asks) : world_(world), asks_(asks) {}

  void on_link_ready() override {
    if (asks_) {
      send(ssl_request());
    } else {
      begin();
    }
  }
  void on_link_refused(const std::string&) override { FAIL(); }
  void on_link_fault(const std::exception_ptr&) override { FAIL(); }
  void on_link_received(std::string_view bytes) override {
    if (asks_ && !std::exchange(has_answer_, true)) {
      EXPECT_EQ(bytes, "S");
      begin();
    } else {
      heard += bytes;
    }
  }
  void on_link_ended() override { ++ends; }
  void on_link_drained() override {}

  void send(const std::string& bytes) {
    base::Output output;
    output.append_view(bytes);
    link.send(output);
  }

  int turns = 0;
  std::string heard;
  int ends = 0;

 private:
  void begin() {
    link.put_layer(xor_layer(world_.engine, turns));
    send("hello");
  }

  DriverWorld& world_;
  bool asks_;
  bool has_answer_ = false;

 public:
  LinkDriver link{world_.context, *this, "own"};
};

TEST(StreamLayer, takes_the_place_of_the_links_stream_at_once_or_behind_an_answer) {
  for (const bool asks : {false, true}) {
    for (const auto cut : kCuts) {
      SCOPED_TRACE(testing::Message() << "asks " << asks << ", cut " << cut);
      DriverWorld world;
      world.engine.cut = cut;
      Holder holder(world, asks);
      world.engine.connect_dialled();
      world.engine.settle();
      auto& server = *world.engine.streams.at(0);
      if (asks) {
        EXPECT_EQ(server.got(), ssl_request());
        server.says("S");
        world.engine.settle();
      }
      const auto plain = asks ? ssl_request().size() : 0;
      EXPECT_EQ(from_records(server.got().substr(plain)), "hello");
      server.says(to_records(kGreeting) + to_records(std::string(1000, 'x')));
      world.engine.settle();
      EXPECT_EQ(holder.heard, kGreeting + std::string(1000, 'x'));
      server.ends();
      world.engine.settle();
      EXPECT_EQ(holder.ends, 1);
      holder.link.close();
      EXPECT_TRUE(server.is_closed());
    }
  }
}

TEST(StreamLayer, loss_of_a_link_comes_behind_what_the_server_said_before_and_is_not_wanted_yet) {
  DriverWorld world;
  Holder holder(world, false);
  world.engine.connect_dialled();
  world.engine.settle();
  auto& server = *world.engine.streams.at(0);
  holder.link.receive(false);
  server.says(to_records("last words"));
  server.breaks();
  world.engine.settle();
  EXPECT_EQ(holder.ends, 0);
  holder.link.receive(true);
  EXPECT_EQ(holder.heard, "");
  world.engine.settle();
  EXPECT_EQ(holder.heard, "last words");
  EXPECT_EQ(holder.ends, 1);
}

// ---- On sockets.

// Puts the layer on its stream when it has been told to, in the middle of an event of that stream.
class Starter final : public RecordingHandler {
 public:
  Starter(Engine& engine, LossReport loss_report) : engine_(engine), loss_report_(loss_report) {}

  void on_received(std::string_view bytes) override {
    if (bytes == "start") {
      stream = XorLayer::make(engine_, std::move(stream), *this, loss_report_, turns);
      send_text(*stream, "started");
      return;
    }
    RecordingHandler::on_received(bytes);
    if (on_next) on_next();
  }

  StreamPtr stream;
  int turns = 0;
  std::function<void()> on_next;

 private:
  Engine& engine_;
  LossReport loss_report_;
};

class LayerOnSockets : public OnEveryEngine {
 protected:
  LayerOnSockets() {
    handler_.stream = engine_->adopt(std::move(pair_.near), handler_, LossReport::after_received);
    send_all(pair_.far.get(), "start");
    EXPECT_TRUE(run_until(*engine_, [&] { return started(); }));
  }

  bool started() {
    char peek[8];
    return ::recv(pair_.far.get(), peek, sizeof(peek), MSG_PEEK | MSG_DONTWAIT) == 8;
  }
  std::string far_hears(std::size_t bytes) {
    return from_records(receive_exactly(pair_.far.get(), bytes));
  }

  TcpPair pair_;
  std::unique_ptr<Engine> engine_ = make_engine();
  Starter handler_{*engine_, LossReport::after_received};
};
HELIOS_ON_ALL_ENGINES(LayerOnSockets);

TEST_P(LayerOnSockets, bytes_pass_both_ways) {
  EXPECT_EQ(far_hears(8), "started");
  const std::string large(300'000, 'x');
  send_all(pair_.far.get(), to_records(large));
  EXPECT_TRUE(run_until(*engine_, [&] { return handler_.received == large; }));
  ::shutdown(pair_.far.get(), SHUT_WR);
  EXPECT_TRUE(run_until(*engine_, [&] { return handler_.eofs == 1; }));
}

TEST_P(LayerOnSockets, pause_in_the_middle_of_what_was_received_holds_the_rest) {
  handler_.on_next = [&] { handler_.stream->pause_receiving(); };
  send_all(pair_.far.get(), to_records("one") + to_records("two"));
  EXPECT_TRUE(run_until(*engine_, [&] { return handler_.received == "one"; }));
  run_until_idle(*engine_);
  EXPECT_EQ(handler_.received, "one");
  handler_.on_next = nullptr;
  handler_.stream->resume_receiving();
  EXPECT_EQ(handler_.received, "one");
  EXPECT_TRUE(run_until(*engine_, [&] { return handler_.received == "onetwo"; }));
}

TEST_P(LayerOnSockets, handler_may_release_it_between_two_records) {
  handler_.on_next = [&] { handler_.stream.reset(); };
  send_all(pair_.far.get(), to_records("one") + to_records("two"));
  EXPECT_TRUE(run_until(*engine_, [&] { return handler_.received == "one"; }));
  run_until_idle(*engine_);
  EXPECT_EQ(handler_.received, "one");
  EXPECT_EQ(far_hears(8), "started");
  char byte = 0;
  EXPECT_LE(::recv(pair_.far.get(), &byte, 1, 0), 0);
}

TEST_P(LayerOnSockets, what_it_sent_is_delivered_when_it_closes) {
  const std::string large(100'000, 'x');
  send_text(*handler_.stream, large);
  close_when_flushed(std::move(handler_.stream));
  std::thread reader([&] {
    const auto got = receive_exactly(pair_.far.get(), 200'000);
    EXPECT_TRUE(from_records(got) == "started" + large);
    pair_.far.reset();
  });
  EXPECT_TRUE(run_until(*engine_, [&] { return engine_->lingering() == 0; }));
  reader.join();
}

}  // namespace
}  // namespace helios::net
