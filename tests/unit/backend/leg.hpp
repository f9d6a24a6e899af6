// SPDX-License-Identifier: Apache-2.0
#pragma once

// A link between a server and a client that a test speaks for, and a user that writes down what it is told.

#include "backend/link.hpp"
#include "base/byte_writer.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace helios::backend::test {

inline std::string message(char type, std::string_view body = {}) {
  std::string all(1, type);
  base::append_i32(all, static_cast<std::int32_t>(body.size() + 4));
  return all.append(body);
}

inline std::string text(std::string_view body) { return std::string(body) + '\0'; }

inline const std::string kReady = message('Z', "I");
inline const std::string kReadyInBlock = message('Z', "T");
inline const std::string kAuthenticated = message('R', std::string_view("\0\0\0\0", 4));
inline const std::string kError = message('E', std::string_view("SERROR\0C42601\0Mno\0\0", 20));
inline const std::string kFatal = message('E', std::string_view("SFATAL\0C57P01\0Mend\0\0", 21));

inline std::string row(std::string_view value) {
  std::string body(2, '\0');
  body[1] = 1;
  base::append_i32(body, static_cast<std::int32_t>(value.size()));
  return message('D', body.append(value));
}

// Writes down what it is told, one line each.
struct Recorder final : LinkUser {
  std::vector<std::string> told;
  base::Output* to_client = nullptr;
  bool replaces_errors = false;
  std::uint64_t rows_left = UINT64_MAX;  // may_pass_row() lets so many pass
  bool passes_notices = true;            // may_pass_notice()
  bool is_last = false;                  // is_last_piece()
  std::string wrong;                     // what the server was found to have done

  void note(std::string line) { told.push_back(std::move(line)); }
  static std::string of(Answer answer) {
    return " of " + std::to_string(answer.tag) + ", " + std::to_string(answer.bytes) + " bytes";
  }

  void on_cancel_key(pgwire::CancelKey) override { note("key"); }
  void on_logged_in() override { note("logged in"); }
  void on_login_impossible(std::string_view reason) override {
    note("cannot log in: " + std::string(reason));
  }
  void on_login_rejected(const pgwire::ErrorFieldsView& fields) override {
    note("login rejected " + std::string(fields.sqlstate));
  }
  void on_completion(Answer answer, std::string_view tag) override {
    note("completion '" + std::string(tag) + "'" + of(answer));
  }
  void on_suspension(Answer answer) override { note("suspension" + of(answer)); }
  bool on_error(Answer answer, bool is_own, const pgwire::ErrorFieldsView& fields) override {
    note("error " + std::string(fields.sqlstate) + (is_own ? ", own" : "") + of(answer));
    return replaces_errors;
  }
  bool may_pass_row(Tag tag, std::uint64_t bytes) override {
    if (rows_left != 0) {
      --rows_left;
      return true;
    }
    note("cut " + std::to_string(tag) + " at a row of " + std::to_string(bytes) + " bytes");
    return false;
  }
  bool may_pass_notice(Tag tag, std::uint64_t bytes) override {
    if (passes_notices) return true;
    note("cut " + std::to_string(tag) + " at a notice of " + std::to_string(bytes) + " bytes");
    return false;
  }
  void on_cut_completion(Answer answer, std::string_view tag) override {
    note("cut completion '" + std::string(tag) + "'" + of(answer));
  }
  bool is_last_piece(Tag tag, pgwire::TransactionStatus status, bool has_failed) override {
    note("piece " + std::to_string(tag) + " " + static_cast<char>(status) +
         (has_failed ? ", failed" : ""));
    return is_last;
  }
  void on_copy_in(bool is_reading) override { note(is_reading ? "copy in" : "copy in, ended"); }
  void on_ended(Tag tag, char answer) override {
    note("ended " + std::to_string(tag) + " " + (answer == 0 ? '-' : answer));
  }
  void on_status(pgwire::TransactionStatus status, bool has_failed) override {
    note(std::string("status ") + static_cast<char>(status) + (has_failed ? ", failed" : ""));
  }
  void on_ready(std::string_view bytes, bool) override {
    note("ready");
    to_client->append(std::string(bytes));
  }
  void on_parameter(std::string_view name, std::string_view value) override {
    note(std::string(name) + "=" + std::string(value));
  }
  void on_skip_to_sync() override { note("skip to Sync"); }
  void on_copy_broken() override { note("copy broken"); }
  void on_malformed(std::string_view what) override {
    note("malformed");
    wrong = what;
  }
};

// A link, its user, and what each side was sent. Every text of the server arrives in pieces of `cut` bytes.
struct Leg {
  explicit Leg(std::size_t piece) : cut(piece) {
    user.to_client = &to_client;
    link.attach(user);
    link.begin_event(to_server, to_client);
    link.begin_login("startup");
  }
  void server(std::string_view bytes) {
    for (; !bytes.empty(); bytes.remove_prefix(std::min(cut, bytes.size()))) {
      link.on_bytes(bytes.substr(0, cut));
      while (user.told.empty() || user.told.back() != "malformed") {
        if (!link.step()) break;
      }
      link.end_event();
      // The event is over: what was passed on is taken, as views may not outlive it.
      client_got += to_client.flatten();
      to_client.clear();
    }
  }
  void log_in() {
    server(kAuthenticated + kReady);
    user.told.clear();
    client_got.clear();
    to_server.clear();
  }
  void expect(Tag tag, char request) { link.expect(tag, {.request = request}); }
  std::string sent() {
    std::string all = to_server.flatten();
    to_server.clear();
    return all;
  }

  std::size_t cut;
  Recorder user;
  base::Output to_server;
  base::Output to_client;
  std::string client_got;
  Link link{"mine"};
};

}  // namespace helios::backend::test
