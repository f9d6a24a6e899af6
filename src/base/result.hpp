// SPDX-License-Identifier: Apache-2.0
#pragma once

// The one error vocabulary of the project. Whatever comes from outside (bytes, files, guests) and
// whatever the environment refuses is reported as a Result; a broken invariant of our own is an
// assert. No exception crosses a module boundary.

#include <expected>
#include <string>
#include <utility>

namespace helios::base {

// What went wrong, told apart only where a caller acts differently.
enum class Errc {
  invalid,         // malformed input: refuse it, tell its author
  limit_exceeded,  // well-formed, but larger than a configured limit
  not_found,       // the named thing does not exist
  unavailable,     // the environment refused (file, socket, server): may work later
};

struct Error {
  Errc code = Errc::invalid;
  // Complete, says what to do where that is known. One line; several, without one at the end, only where it is
  // said so: each is about one thing that is wrong.
  std::string message;
};

// A value or an Error. Unlike std::expected itself, ignoring one is a warning.
template <typename T>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using std::expected<T, Error>::expected;
};

// Builds the error side: `return fail(Errc::invalid, "...")`.
[[nodiscard]] inline std::unexpected<Error> fail(Errc code, std::string message) {
  return std::unexpected<Error>(Error{code, std::move(message)});
}

}  // namespace helios::base
