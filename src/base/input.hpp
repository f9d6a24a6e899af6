// SPDX-License-Identifier: Apache-2.0
#pragma once

// The unread bytes of one direction. During an event they are a view: of what just arrived, or of
// what was left over from before; between events the rest is kept. So nothing is copied as long as
// everything can be used at once.

#include "base/output.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace helios::base {

class Input {
 public:
  // Bytes arrived in the present event. They queue behind what is left over.
  void arrive(std::string_view bytes) {
    if (held_.empty() && view_.empty()) {
      view_ = bytes;
    } else {
      held_.append(bytes);
    }
  }

  // The unread bytes; what is taken off its front has been used. Leftovers are handed to `output`,
  // where views of them go: it keeps them alive for this event.
  [[nodiscard]] std::string_view& view(Output& output) {
    if (view_.empty() && !held_.empty()) [[unlikely]]
      view_held(output);
    return view_;
  }

  // All of them, for somebody else.
  [[nodiscard]] std::string take() {
    std::string all(view_);
    all += held_;
    clear();
    return all;
  }

  // The event is over: keeps what was not used.
  void end_event() {
    if (!view_.empty()) held_.insert(0, view_);
    view_ = {};
  }

  // Memory kept between events.
  [[nodiscard]] std::size_t held_bytes() const { return held_.capacity(); }
  [[nodiscard]] bool empty() const { return view_.empty() && held_.empty(); }
  void clear() {
    view_ = {};
    held_.clear();
  }

 private:
  // Apart, so that looking at what just arrived, many times an event, stays a comparison.
  [[gnu::noinline]] void view_held(Output& output) {
    view_ = output.retain(std::exchange(held_, {}));
  }

  std::string held_;
  std::string_view view_;
};

}  // namespace helios::base
