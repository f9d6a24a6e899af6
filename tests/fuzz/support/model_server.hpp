// SPDX-License-Identifier: Apache-2.0
#pragma once

// A PostgreSQL that is too simple to be wrong: it knows transactions, errors, COPY FROM STDIN, names of
// statements and portals, and that an error in the extended protocol skips to Sync. A statement answers with its own text as a
// row, so that every answer says what was run. All its errors begin with "server: ".

#include "fuzz/support/fuzz.hpp"

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace helios::fuzz {

inline constexpr std::string_view kServerError = "server: ";
// A statement with this word fails.
inline constexpr std::string_view kDivisionWord = "divide";

class ModelServer {
 public:
  // Is told of every statement that runs.
  std::function<void(const std::string&)> on_statement = [](const std::string&) {};

  // Takes whole messages; returns what it answers.
  std::string feed(std::string_view messages);

  // The client was refused what it sent, in the place of a message: as if it had failed here.
  // Returns the status byte of the ReadyForQuery that follows.
  void fail_transaction();
  [[nodiscard]] char status() const { return status_; }
  [[nodiscard]] bool is_copying() const { return is_copying_; }
  [[nodiscard]] bool is_over() const { return is_over_; }
  [[nodiscard]] bool has_unnamed() const {
    return statements_.contains("") || portals_.contains("");
  }
  // It discards what comes before the next Sync.
  [[nodiscard]] bool is_skipping() const { return is_skipping_; }
  // The text that an Execute of this portal would run; empty when it runs none.
  [[nodiscard]] std::string text_of(std::string_view portal) const;

 private:
  struct Portal {
    std::string text;
    bool is_done = false;
  };
  void handle_extended(char type, std::string_view body);
  void parse(std::string_view body);
  void bind(std::string_view body);
  void execute(std::string_view body);
  void finish_unit();
  void handle(char type, std::string_view body);
  void handle_in_copy(char type, std::string_view body);
  void handle_query(std::string_view text);
  void run_statements();
  bool run_statement(const std::string& text);
  void finish_query();
  void fail(std::string_view sqlstate, std::string_view what);

  std::string out_;
  char status_ = 'I';
  bool is_copying_ = false;
  bool is_over_ = false;
  bool is_skipping_ = false;  // to Sync
  bool is_in_query_ = false;
  std::deque<std::string> to_run_;  // the rest of the Query
  std::map<std::string, std::string, std::less<>> statements_;
  std::map<std::string, Portal, std::less<>> portals_;
};

}  // namespace helios::fuzz
