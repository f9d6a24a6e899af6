// SPDX-License-Identifier: Apache-2.0
#pragma once

// A small model of the server: transactions, rows, batches and cancels, one step at a time. It knows the texts
// "select 'id=<number> n=<rows>'", "begin", "commit" and "rollback"; everything else is a syntax error.

#include "capping.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace helios::session::test {

struct Frame {
  char type = 0;
  std::string body;
};

// Takes the whole messages off the front of `bytes`.
inline std::vector<Frame> take_frames(std::string& bytes) {
  std::vector<Frame> frames;
  std::size_t at = 0;
  while (bytes.size() - at >= 5) {
    std::uint32_t length = 0;
    for (std::size_t i = 1; i < 5; ++i)
      length = length << 8U | static_cast<unsigned char>(bytes[at + i]);
    if (bytes.size() - at < length + 1) break;
    frames.push_back({bytes[at], bytes.substr(at + 5, length - 4)});
    at += length + 1;
  }
  bytes.erase(0, at);
  return frames;
}

inline std::vector<std::string> statements_of(const std::string& text) {
  std::vector<std::string> all;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find("; ", at), text.size());
    all.push_back(text.substr(at, end - at));
    at = end + 2;
  }
  return all;
}

inline int id_of(const std::string& text) {
  return static_cast<int>(limit_in(text, "id=").value_or(0));
}

// What PostgreSQL does, as far as it matters here. An "effect" is the number
// of a statement, which it leaves behind in its transaction as soon as it begins.
class ServerModel {
 public:
  std::string said;  // that the proxy has not read
  std::set<int> committed;
  std::vector<std::string> hit;  // by a cancel

  void hear(std::string_view bytes) {
    heard_ += bytes;
    for (Frame& frame : take_frames(heard_)) inbox_.push_back(std::move(frame));
  }
  void cancel() {
    if (running_) is_cancelled_ = true;
  }
  [[nodiscard]] bool is_idle() const { return inbox_.empty() && !running_ && texts_.empty(); }

  // One row, one end, or one message. `is_flushing`: what it says leaves the server at once.
  void step(bool is_flushing) {
    if (running_) {
      go_on();
    } else if (!texts_.empty()) {
      const std::string text = std::move(texts_.front());
      texts_.pop_front();  // first: an error ends the others
      begin(text, 0);
    } else if (is_in_query_) {
      is_in_query_ = false;
      end_message();
    } else if (!inbox_.empty()) {
      const Frame frame = std::move(inbox_.front());
      inbox_.pop_front();
      handle(frame);
    }
    if (is_flushing) flush();
  }

 private:
  struct Portal {
    std::string text;
    std::uint64_t rows = 0;
    bool is_begun = false;
  };

  void flush() { said += std::exchange(buffer_, {}); }

  void handle(const Frame& frame) {
    if (is_skipping_ && frame.type != 'S') return;
    const std::string first = frame.body.substr(0, frame.body.find('\0'));
    const std::size_t second = first.size() + 1;
    switch (frame.type) {
      case 'Q':
        for (std::string& text : statements_of(first)) texts_.push_back(std::move(text));
        is_in_query_ = true;
        return;
      case 'P':
        if (is_syntax_error(frame.body.substr(second))) return fail("42601");
        parsed_ = frame.body.substr(second, frame.body.find('\0', second) - second);
        buffer_ += parsed();
        return;
      case 'B':
        portals_[first] = {.text = parsed_, .rows = limit_in(parsed_, "n=").value_or(0)};
        buffer_ += bound();
        return;
      case 'E': return execute(first, static_cast<unsigned char>(frame.body.back()));
      case 'C': buffer_ += closed(); return;
      case 'H': flush(); return;
      case 'S': is_skipping_ = false; return end_message();
      default: ADD_FAILURE() << "the server got a message of type " << frame.type;
    }
  }

  static bool is_syntax_error(const std::string& text) {
    return !text.starts_with("select") && !text.starts_with("begin") &&
           !text.starts_with("BEGIN") && !text.starts_with("commit") &&
           !text.starts_with("COMMIT") && !text.starts_with("rollback") &&
           !text.starts_with("ROLLBACK");
  }

  void execute(const std::string& name, std::uint64_t max_rows) {
    if (!portals_.contains(name)) return fail("34000");
    begin(portals_[name].text, max_rows, name);
  }

  void begin(const std::string& text, std::uint64_t max_rows,
             const std::optional<std::string>& portal = std::nullopt) {
    if (is_syntax_error(text)) return fail("42601");
    const char first = static_cast<char>(text[0] | 0x20);
    if (first == 'b' && status_ == 'E') return fail("25P02");
    if (first == 'b') {
      status_ = 'T';
      return void(buffer_ += complete("BEGIN"));
    }
    if (first == 'c' || first == 'r') return end_block(first == 'c');
    if (status_ == 'E') return fail("25P02");
    effects_.insert(id_of(text));
    running_ = text;
    portal_ = portal;
    rows_ = portal ? portals_[*portal].rows : limit_in(text, "n=").value_or(0);
    left_in_turn_ = max_rows == 0 ? UINT64_MAX : max_rows;
    sent_ = 0;
  }

  void end_block(bool is_commit) {
    const bool is_kept = is_commit && status_ != 'E';
    if (is_kept) committed.insert(effects_.begin(), effects_.end());
    effects_.clear();
    portals_.clear();
    status_ = 'I';
    buffer_ += complete(is_kept ? "COMMIT" : "ROLLBACK");
  }

  void go_on() {
    if (is_cancelled_) {
      hit.push_back(*running_);
      return fail("57014");
    }
    if (rows_ > 0 && left_in_turn_ > 0) {
      --rows_;
      --left_in_turn_;
      ++sent_;
      buffer_ += row();
      return;
    }
    if (portal_) portals_[*portal_].rows = rows_;
    buffer_ += rows_ > 0 ? suspended() : complete("SELECT " + std::to_string(sent_));
    running_.reset();
  }

  void fail(std::string_view sqlstate) {
    running_.reset();
    is_cancelled_ = false;
    texts_.clear();
    buffer_ += error(sqlstate, "no");
    if (status_ == 'T') status_ = 'E';
    effects_.clear();
    portals_.clear();
    is_skipping_ = !is_in_query_;
    flush();
  }

  // A Query or a Sync.
  void end_message() {
    if (status_ == 'I') {
      committed.insert(effects_.begin(), effects_.end());
      effects_.clear();
      portals_.clear();
    }
    buffer_ += ready(status_);
    flush();
  }

  std::string heard_, buffer_, parsed_;
  std::deque<Frame> inbox_;
  std::deque<std::string> texts_;  // of the present Query
  std::optional<std::string> running_, portal_;
  std::map<std::string, Portal> portals_;
  std::uint64_t rows_ = 0, left_in_turn_ = 0, sent_ = 0;
  std::set<int> effects_;
  char status_ = 'I';
  bool is_in_query_ = false, is_skipping_ = false, is_cancelled_ = false;
};

}  // namespace helios::session::test
