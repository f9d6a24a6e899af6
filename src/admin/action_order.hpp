// SPDX-License-Identifier: Apache-2.0
#pragma once

// Requests that change the same thing, one after the other. What plugins are told of them (Control::tell_action) and what they are
// asked (Control::judge_write) takes its time, so that of two requests under way the second could take effect first: then the
// order in which they were recorded would not be the one in which they happened.
//
// Thread rule: the home executor's thread, but for the end of a Turn, which any thread may cause. Lifetime: a turn may outlive it;
// what still waits then is dropped.

#include "base/executor.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace helios::admin {

class ActionOrder {
  struct Lines;

 public:
  // It is the request's turn until this is gone.
  class Turn {
   public:
    Turn(Turn&& other) noexcept = default;
    Turn& operator=(Turn&&) = delete;
    ~Turn();

   private:
    friend class ActionOrder;
    Turn(std::shared_ptr<Lines> lines, std::string subject)
        : lines_(std::move(lines)), subject_(std::move(subject)) {}
    std::shared_ptr<Lines> lines_;  // null: another one has it
    std::string subject_;
  };
  using Work = std::move_only_function<void(Turn)>;

  explicit ActionOrder(std::shared_ptr<base::Executor> home);
  ~ActionOrder();
  ActionOrder(const ActionOrder&) = delete;
  ActionOrder& operator=(const ActionOrder&) = delete;

  // Calls `work` when all that were passed before it for the same subject are through: now, or later.
  void run(std::string subject, Work work);

 private:
  struct Lines {
    std::weak_ptr<base::Executor> home;  // which may hold what holds this
    // Those that wait, by subject; where there is a line, somebody has the turn.
    std::map<std::string, std::deque<Work>, std::less<>> waiting;
  };
  static void go_on(const std::shared_ptr<Lines>& lines, const std::string& subject);

  const std::shared_ptr<Lines> lines_;
};

}  // namespace helios::admin
