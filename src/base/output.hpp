// SPDX-License-Identifier: Apache-2.0
#pragma once

// Bytes for one direction, in order, as a list of pieces: views into the input of the present event
// and texts of its own. Adjacent views of one input merge into one piece.
//
// Lifetime: pieces are valid until the event's input is gone or clear() is called. Thread rule: one thread.

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace helios::base {

class Output {
 public:
  // Appends bytes that live until whoever sends the pieces has done so.
  void append_view(std::string_view bytes);
  // Appends bytes that the Output keeps itself.
  void append(std::string bytes);
  // Keeps bytes alive as long as the pieces; returns a view of them. They are no piece.
  [[nodiscard]] std::string_view retain(std::string bytes);

  [[nodiscard]] const std::vector<std::string_view>& pieces() const { return pieces_; }
  [[nodiscard]] bool empty() const { return pieces_.empty(); }
  // Of all pieces together.
  [[nodiscard]] std::size_t bytes() const;
  [[nodiscard]] std::string flatten() const;
  // Nothing is to be sent any more. What it keeps stays alive.
  void discard() { pieces_.clear(); }
  void clear();

 private:
  std::vector<std::string_view> pieces_;
  // A deque never moves what pieces_ points to.
  std::deque<std::string> owned_;
  std::deque<std::string> retained_;
};

}  // namespace helios::base
