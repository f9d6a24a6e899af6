// SPDX-License-Identifier: Apache-2.0
#pragma once

// PgBouncer's auth_file: users and what is known of their passwords.
//
//   "username" "secret"      between them blanks; in each, two quotes stand for one; the rest of the line is ignored
//   ; comment                lines that begin with ';' or '#', and empty ones, are ignored
//
// Stricter than PgBouncer: name and secret stand in one line, a user stands in the file once, and a line that is none of
// these is an error instead of the end of what is read.
//
// A secret never occurs in a message, and its memory is wiped when the list goes.
//
// Thread rule: a list is never changed once it is read; any thread.

#include "auth/user_secret.hpp"
#include "base/result.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace helios::auth {

class UserList {
 public:
  static constexpr std::size_t kMaxFileBytes = std::size_t{64} << 20;
  static constexpr std::size_t kMaxUsers = 500'000;
  // What PostgreSQL keeps of a name.
  static constexpr std::size_t kMaxNameBytes = 63;
  // PgBouncer's limit, too; a SCRAM verifier has some 130.
  static constexpr std::size_t kMaxSecretBytes = 2047;

  // `file_name` is for messages. Errors: invalid, with all that is wrong, as "FILE:LINE:COLUMN: what is wrong and what to
  // do", one a line, at most 50. Nothing of `text` is in them: a secret may stand in the place of a name.
  [[nodiscard]] static base::Result<std::shared_ptr<const UserList>> parse(
      std::string_view text, const std::string& file_name);

  // The same from `path`, which nobody else may read. Errors: also those of config::read_secret_file().
  [[nodiscard]] static base::Result<std::shared_ptr<const UserList>> load(const std::string& path);

  // Null: there is no such user. Lives as long as this.
  [[nodiscard]] const UserSecret* find(std::string_view user) const;

  [[nodiscard]] std::size_t size() const { return secrets_.size(); }
  // Every user and what is known of him, in any order.
  [[nodiscard]] const auto& all() const { return secrets_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const {
      return std::hash<std::string_view>()(name);
    }
  };

  std::unordered_map<std::string, UserSecret, Hash, std::equal_to<>> secrets_;

  friend class UserListReader;
};

}  // namespace helios::auth
