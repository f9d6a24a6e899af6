// SPDX-License-Identifier: Apache-2.0
// Goal: whatever a client sends and whenever a cancel arrives, no more rows pass than a limit says, no cancel meets a
// statement that was not cut, and the client believes of every transaction what the server has made of it.
// Method: random conversations with a small model of the server, which does one step at a time.
#include "server_model.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace helios::session::test {
namespace {

// Says what it likes, and remembers what it was told.
class ClientModel {
 public:
  explicit ClientModel(std::mt19937& random) : random_(random) {}

  std::set<int> believed;  // to be committed
  int cuts = 0, completions = 0, refusals = 0;

  // The messages up to one ReadyForQuery.
  std::string speak() {
    std::vector<std::string> texts;
    std::string bytes;
    if (pick(2) == 0) {
      const std::size_t count = pick(2) == 0 ? 1 : 1 + pick(4);
      std::string all;
      for (std::size_t i = 0; i < count; ++i) {
        texts.push_back(statement());
        all += (i == 0 ? "" : "; ") + texts.back();
      }
      bytes = query(all);
    } else {
      for (std::size_t i = pick(4); i < 4; ++i) {
        texts.push_back(statement());
        const std::string portal = pick(2) == 0 ? "" : "c";
        bytes += parse("", texts.back()) + bind_to(portal, "");
        bytes += execute(portal, static_cast<std::int32_t>(pick(3)));
        for (std::size_t more = pick(3); more > 0; --more) {
          bytes += execute(portal, static_cast<std::int32_t>(pick(3)));
          texts.push_back(texts.back());
        }
        if (pick(8) == 0) bytes += flush();
      }
      bytes += sync();
    }
    asked_.push_back(std::move(texts));
    return bytes;
  }
  std::string end() {
    asked_.push_back({"rollback"});
    return query("rollback");
  }

  void hear(std::string_view bytes) {
    heard_ += bytes;
    for (const Frame& frame : take_frames(heard_)) handle(frame);
  }
  [[nodiscard]] bool is_waiting() const { return !asked_.empty(); }

 private:
  std::size_t pick(std::size_t count) { return random_() % count; }

  std::string statement() {
    const std::size_t dice = pick(12);
    if (dice == 0) return "begin";
    if (dice == 1) return pick(2) == 0 ? "commit" : "rollback";
    const std::string id = std::to_string(++last_id_);
    std::string text = "select 'id=" + id + " n=" + std::to_string(pick(6));
    if (pick(3) == 0) text += " rows=" + std::to_string(pick(4));
    return text + "'";
  }

  // Pieces of one portal belong to the same text: what a suspended one was is found behind it.
  void handle(const Frame& frame) {
    EXPECT_FALSE(asked_.empty()) << "an answer to nothing: " << frame.type;
    if (asked_.empty()) return;
    const std::vector<std::string>& texts = asked_.front();
    const std::string text = at_ < texts.size() ? texts[at_] : std::string();
    switch (frame.type) {
      case 'D':
        ++rows_;
        EXPECT_LE(rows_, limit_in(text, "rows=").value_or(UINT64_MAX)) << text;
        break;
      case 'C':
      case 's': end_statement(text, frame); break;
      case 'E': note_error(text, frame); break;
      case 'Z': end_unit(frame.body[0]); break;
      default: break;
    }
  }

  void end_statement(const std::string& text, const Frame& frame) {
    const bool goes_on = at_ + 1 < asked_.front().size() && asked_.front()[at_ + 1] == text;
    if (!goes_on) rows_ = 0;
    ++at_;
    if (frame.body.starts_with("BEGIN")) return;
    if (frame.body.starts_with("COMMIT")) believed.insert(pending_.begin(), pending_.end());
    if (frame.body.starts_with("COMMIT") || frame.body.starts_with("ROLLBACK"))
      return pending_.clear();
    if (text.starts_with("select")) pending_.insert(id_of(text));
  }

  void note_error(const std::string& text, const Frame& frame) {
    EXPECT_EQ(frame.body.find("57014"), std::string::npos) << "nobody has cancelled " << text;
    pending_.clear();
    refusals += frame.body.find("0A000") != std::string::npos ? 1 : 0;
    if (frame.body.find("54000") == std::string::npos) return;
    ++cuts;
    if (frame.body.find("was completed") == std::string::npos) return;
    ++completions;
    believed.insert(id_of(text));
  }

  void end_unit(char status) {
    if (status == 'I') {
      believed.insert(pending_.begin(), pending_.end());
      pending_.clear();
    }
    asked_.pop_front();
    at_ = 0;
    rows_ = 0;
  }

  std::mt19937& random_;
  std::deque<std::vector<std::string>> asked_;  // statements of each unit, one for each answer
  std::string heard_;
  std::set<int> pending_;
  std::size_t at_ = 0;
  std::uint64_t rows_ = 0;
  int last_id_ = 0;
};

class Conversation {
 public:
  explicit Conversation(unsigned seed) : random_(seed) { harness_.connect(); }

  void hold() {
    int units = 12;
    while (units > 0 || !to_send_.empty()) {
      if (to_send_.empty() && pick(3) == 0) to_send_ = --units == 0 ? client.end() : client.speak();
      move(pick(6));
    }
    for (int i = 0; i < 20000 && !is_over(); ++i) move(1 + pick(5));
  }

  [[nodiscard]] bool is_over() const {
    return server.is_idle() && server.said.empty() && !client.is_waiting() && !is_cancelling();
  }

  ClientModel client{random_};
  ServerModel server;

 private:
  std::size_t pick(std::size_t count) { return random_() % count; }
  [[nodiscard]] bool is_cancelling() const { return harness_.cap_cancels_sent > told_; }

  void move(std::size_t what) {
    switch (what) {
      case 0: {
        const std::size_t some = std::min(to_send_.size(), 1 + pick(60));
        harness_.client_sends(to_send_.substr(0, some));
        to_send_.erase(0, some);
        break;
      }
      case 1:
      case 2: server.step(pick(2) == 0); break;
      case 3: {
        const std::size_t some = std::min(server.said.size(), 1 + pick(60));
        harness_.server_sends(server.said.substr(0, some));
        server.said.erase(0, some);
        break;
      }
      case 4:
        if (is_cancelling() && !std::exchange(is_signalled_, true)) server.cancel();
        break;
      default:
        if (is_cancelling() && std::exchange(is_signalled_, false)) {
          ++told_;
          harness_.cap_cancelled();
        }
    }
    server.hear(harness_.take_to_server());
    client.hear(harness_.take_to_client());
  }

  std::mt19937 random_;
  Capping capping_;
  SessionHarness harness_{capping_.options()};
  std::string to_send_;
  int told_ = 0;
  bool is_signalled_ = false;
};

TEST(BoundedModel, client_and_server_agree_whatever_the_order) {
  int cuts = 0;
  int completions = 0;
  int hits = 0;
  for (unsigned seed = 1; seed <= 600; ++seed) {
    Conversation conversation(seed);
    conversation.hold();
    ASSERT_TRUE(conversation.is_over()) << "seed " << seed << " hangs";
    ASSERT_EQ(conversation.client.believed, conversation.server.committed) << "seed " << seed;
    for (const std::string& text : conversation.server.hit) {
      ASSERT_GT(limit_in(text, "n=").value_or(0), limit_in(text, "rows=").value_or(UINT64_MAX))
          << "seed " << seed << ": a cancel has met " << text;
    }
    ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed;
    cuts += conversation.client.cuts;
    completions += conversation.client.completions;
    hits += static_cast<int>(conversation.server.hit.size());
  }
  EXPECT_GT(cuts, 300);
  EXPECT_GT(completions, 10);
  EXPECT_GT(hits, 100);
}

}  // namespace
}  // namespace helios::session::test
