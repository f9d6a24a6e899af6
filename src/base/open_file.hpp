// SPDX-License-Identifier: Apache-2.0
#pragma once

// A descriptor of a file that is closed with the object that has it. What is done with it is system calls.

#include <utility>

#include <unistd.h>

namespace helios::base {

class OpenFile {
 public:
  // `number`: what open() returned; negative: it failed, and errno says why.
  explicit OpenFile(int number) : number_(number) {}
  ~OpenFile() { static_cast<void>(close()); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  [[nodiscard]] bool is_open() const { return number_ >= 0; }
  [[nodiscard]] int number() const { return number_; }
  // False: the file system tells only now that a write has failed; errno says why.
  [[nodiscard]] bool close() { return !is_open() || ::close(std::exchange(number_, -1)) == 0; }

 private:
  int number_;
};

}  // namespace helios::base
