// SPDX-License-Identifier: Apache-2.0
//
// Goal: whatever the order in which clients come, log in, work and somebody is blocked or let in again: who is blocked is
// out as soon as every worker knows it, what ran for him is cancelled, and nobody else notices.

#include "net/cancel_sender.hpp"
#include "unit/net/simulated_proxy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace helios::net {
namespace {

using blocks::Kind;
using testing::HasSubstr;
using testing::IsEmpty;

std::string packet_of(const std::string& user) {
  const std::string body = int32(196608) + std::string("user\0", 5) + user + std::string(2, '\0');
  return int32(static_cast<std::int32_t>(body.size() + 4)) + body;
}

// Clients, servers and an operator, who all do what they like.
class Crowd {
 public:
  explicit Crowd(unsigned seed) : random_(seed) {}

  void do_something() {
    switch (pick(9)) {
      case 0:
      case 1: return come();
      case 2: return say_rest();
      case 3:
      case 4: return work();
      case 5: return answer();
      case 6: return change_blocks();
      default: return settle();
    }
  }

  // Until nothing happens any more, and then looks at everybody.
  void settle() {
    proxy_.settle();
    changing_.clear();
    play_servers();
    for (const Member& member : members_) check(member);
    check_numbers();
  }

  void end() {
    settle();
    proxy_.pass_ms(1'000);  // what is cancelled is cancelled twice
    settle();
    EXPECT_THAT(proxy_.faults.lines(), IsEmpty());
    EXPECT_GT(ended_, 0U);
    EXPECT_GT(cancelled_.size(), 0U);
  }

 private:
  struct Member {
    SimulatedStream* client = nullptr;
    std::string user;
    std::string to_say;   // of its first packet
    bool is_met = false;  // by a block, at some time since it has said who it is
    std::size_t answered = 0;
  };

  std::size_t pick(std::size_t count) { return random_() % count; }
  bool is_blocked(const std::string& user) const {
    return list_.now().find(Kind::user, user) != nullptr;
  }

  void come() {
    if (members_.size() >= 60) return;
    const auto session = proxy_.connect_client();
    Member member;
    member.client = session.client;
    member.user = std::string(1, static_cast<char>('a' + pick(4)));
    member.to_say = packet_of(member.user);
    if (pick(2) == 0) {
      member.client->says(member.to_say.substr(0, 11));
      member.to_say.erase(0, 11);
    }
    members_.push_back(std::move(member));
  }

  void say_rest() {
    for (Member& member : members_) {
      if (member.to_say.empty() || pick(2) == 0) continue;
      member.is_met = is_blocked(member.user) || changing_.contains(member.user);
      member.client->says(std::exchange(member.to_say, {}));
    }
  }

  void work() {
    for (Member& member : members_) {
      if (!is_ready(member) || member.client->is_closed() || pick(2) == 0) continue;
      member.client->says(query("SELECT pg_sleep(100)"));
    }
  }

  void answer() {
    for (const auto& [process_id, server] : servers_) {
      if (server->is_closed() || pick(2) == 0) continue;
      Member* member = member_of(process_id);
      if (member == nullptr || arrived(*member) == member->answered) continue;
      server->says(message('C', std::string_view("SELECT 1\0", 9)) + message('Z', "I"));
      ++member->answered;
    }
  }

  void change_blocks() {
    const std::string user(1, static_cast<char>('a' + pick(3)));  // nobody blocks "d"
    if (!list_.remove(Kind::user, user)) {
      EXPECT_TRUE(list_.put({.kind = Kind::user, .name = user, .reason = "runs wild"}));
      for (Member& member : members_) member.is_met |= member.user == user && member.to_say.empty();
    }
    ++changes_;
    changing_.insert(user);
    proxy_.proxy->set_blocks(list_.snapshot(), [this](std::size_t ended) {
      ended_ += ended;
      ++answered_;
    });
  }

  void play_servers() {
    for (bool is_busy = true; is_busy;) {
      is_busy = false;
      for (SimulatedEngine* engine : proxy_.engines) {
        if (!engine->is_dialling()) continue;
        is_busy = true;
        engine->connect_dialled();
        SimulatedStream* server = engine->streams.back().get();
        proxy_.settle();
        greet(*server);
      }
    }
  }

  void greet(SimulatedStream& server) {
    for (std::int32_t id = 0; id < next_process_; ++id) {
      if (server.got() != cancel_request(id, "key!")) continue;
      cancelled_.insert(id);
      server.ends();
      return proxy_.settle();
    }
    if (server.is_closed()) return;
    servers_.emplace_back(next_process_, &server);
    server.says(SimulatedProxy::greeting(next_process_++));
    proxy_.settle();
  }

  static bool is_ready(const Member& member) { return process_of(member).has_value(); }
  // By the key that it was given.
  static std::optional<std::int32_t> process_of(const Member& member) {
    const std::string& got = member.client->got();
    const std::size_t head = message('R', int32(0)).size();
    if (got.size() < head + 13 || got[head] != 'K') return std::nullopt;
    std::int32_t id = 0;
    for (std::size_t i = 0; i < 4; ++i)
      id = id * 256 + static_cast<unsigned char>(got[head + 5 + i]);
    return id;
  }
  Member* member_of(std::int32_t process_id) {
    for (Member& member : members_) {
      if (process_of(member) == process_id) return &member;
    }
    return nullptr;
  }

  // How many of its queries have come as far as its server.
  std::size_t arrived(const Member& member) const {
    const auto found = std::ranges::find(
        servers_, process_of(member), [](const auto& each) { return std::optional(each.first); });
    if (found == servers_.end()) return 0;
    const std::string& got = found->second->got();
    std::size_t count = 0;
    for (std::size_t at = got.find('Q'); at != std::string::npos; at = got.find('Q', at + 1))
      ++count;
    return count;
  }

  void check(const Member& member) {
    const std::string& got = member.client->got();
    const bool is_told = got.contains("28000") || got.contains("57P01");
    EXPECT_EQ(member.client->is_closed(), is_told);
    if (is_told) {
      EXPECT_THAT(got, HasSubstr("user \"" + member.user + "\" is blocked: runs wild"));
    }
    if (!member.to_say.empty() || !member.is_met) {
      EXPECT_FALSE(is_told) << member.user;
    } else if (is_blocked(member.user)) {
      EXPECT_TRUE(is_told) << member.user;
    }
    const bool was_at_work = got.contains("57P01") && arrived(member) > member.answered;
    if (was_at_work) {
      EXPECT_TRUE(cancelled_.contains(*process_of(member)));
    }
  }

  // Everybody who was told is counted, once.
  void check_numbers() {
    EXPECT_EQ(answered_, changes_);
    std::uint64_t counted = 0;
    for (const auto& worker : proxy_.proxy->workers()) {
      for (const auto& counter : worker->stats().blocked) counted += counter.value();
    }
    const auto out = static_cast<std::uint64_t>(std::ranges::count_if(
        members_, [](const Member& member) { return member.client->is_closed(); }));
    EXPECT_EQ(counted, out);
    EXPECT_LE(ended_, out);
    EXPECT_EQ(proxy_.sessions(), members_.size() - out);
  }

  std::mt19937 random_;
  SimulatedProxy proxy_{2};
  blocks::BlockList list_;
  std::vector<Member> members_;
  std::vector<std::pair<std::int32_t, SimulatedStream*>> servers_;
  std::int32_t next_process_ = 1;
  std::set<std::int32_t> cancelled_;
  std::set<std::string> changing_;  // users of whom not every worker has heard yet
  std::size_t ended_ = 0;
  std::size_t changes_ = 0;
  std::size_t answered_ = 0;
};

TEST(SimulatedBlocks, hit_whom_they_mean_whatever_the_order) {
  for (unsigned seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    Crowd crowd(seed);
    for (int step = 0; step < 300 && !testing::Test::HasFailure(); ++step) crowd.do_something();
    crowd.end();
  }
}

TEST(SimulatedBlocks, everything_that_somebody_runs_is_cancelled_however_much_it_is) {
  SimulatedProxy proxy(1);
  constexpr std::int32_t kSessions = 100;  // more than are cancelled at a time
  std::vector<SimulatedProxy::Session> sessions;
  for (std::int32_t i = 0; i < kSessions; ++i) {
    sessions.push_back(proxy.open_session(i));
    proxy.say(*sessions.back().client, query("SELECT pg_sleep(100)"));
  }
  blocks::BlockList list;
  ASSERT_TRUE(list.put({.kind = Kind::user, .name = "postgres", .reason = "runs wild"}));
  std::size_t ended = 0;
  proxy.proxy->set_blocks(list.snapshot(), [&](std::size_t count) { ended = count; });
  proxy.settle();
  EXPECT_EQ(ended, static_cast<std::size_t>(kSessions));
  std::set<std::string> requests;
  while (proxy.engines[0]->is_dialling()) {
    auto session = sessions.front();
    proxy.connect_server(session);
    requests.insert(session.server->got());
    session.server->ends();
    proxy.settle();
  }
  std::set<std::string> wanted;
  for (std::int32_t i = 0; i < kSessions; ++i) wanted.insert(cancel_request(i, "key!"));
  EXPECT_EQ(requests, wanted);
  EXPECT_EQ(proxy.sessions(), 0U);
}

// It had not begun when it was asked to cancel, and would run on with nobody there.
TEST(SimulatedBlocks, server_is_asked_to_cancel_a_second_time) {
  SimulatedProxy proxy(1);
  auto session = proxy.open_session(7);
  proxy.say(*session.client, query("SELECT pg_sleep(100)"));
  blocks::BlockList list;
  ASSERT_TRUE(list.put({.kind = Kind::user, .name = "postgres", .reason = "runs wild"}));
  proxy.proxy->set_blocks(list.snapshot(), [](std::size_t) {});
  proxy.settle();
  for (int time = 0; time < 2; ++time) {
    proxy.connect_server(session);
    EXPECT_EQ(session.server->got(), cancel_request(7, "key!"));
    session.server->ends();
    proxy.settle();
    EXPECT_FALSE(session.worker->is_dialling());
    if (time == 0) proxy.pass_ms(kSecondCancelMs);
  }
}

}  // namespace
}  // namespace helios::net
