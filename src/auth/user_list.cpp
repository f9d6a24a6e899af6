// SPDX-License-Identifier: Apache-2.0

#include "auth/user_list.hpp"

#include "auth/rule_problems.hpp"
#include "auth/secret_bytes.hpp"
#include "config/secret_file.hpp"

#include <openssl/crypto.h>

#include <optional>
#include <utility>

namespace helios::auth {

class UserListReader {
 public:
  explicit UserListReader(const std::string& file_name)
      : place_{.file = std::make_shared<const std::string>(file_name), .line = 0} {}

  base::Result<std::shared_ptr<const UserList>> read(std::string_view text) {
    while (!text.empty() && !is_stopped_) {
      const std::size_t end = text.find('\n');
      ++place_.line;
      read_line(text.substr(0, end));
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    if (problems_.any()) return base::fail(base::Errc::invalid, problems_.message());
    return std::move(list_);
  }

 private:
  void read_line(std::string_view line) {
    line_ = line;
    at_ = 0;
    skip_blanks();
    if (at_ == line_.size() || line_[at_] == ';' || line_[at_] == '#') return;
    const std::size_t name_at = at_;
    if (!take_quoted(name_, "the user's name must stand here, between quotes")) return;
    if (const char* wrong = wrong_with_name()) return problem(name_at, wrong);
    skip_blanks();
    const std::size_t secret_at = at_;
    if (!take_quoted(secret_, "the secret must stand here, between quotes")) return;
    auto secret = read_secret(secret_at);
    wipe(secret_);
    if (secret) add(name_at, std::move(*secret));
  }

  void skip_blanks() {
    while (at_ < line_.size() && (line_[at_] == ' ' || line_[at_] == '\t' || line_[at_] == '\r'))
      ++at_;
  }

  // What stands between quotes at `at_`, which is behind them then. False: that is not so, and among the problems.
  bool take_quoted(std::string& out, const char* missing) {
    const std::size_t begin = at_;
    if (at_ == line_.size() || line_[at_] != '"') {
      problem(begin, missing);
      return false;
    }
    out.clear();
    // A string that grows leaves copies of a secret behind.
    out.reserve(line_.size() - begin);
    for (++at_; at_ < line_.size(); ++at_) {
      if (line_[at_] == '"' && !line_.substr(at_).starts_with("\"\"")) {
        ++at_;
        return true;
      }
      if (line_[at_] == '"') ++at_;
      out += line_[at_];
    }
    wipe(out);
    problem(begin, "this quote is not closed: put a '\"' behind it, and write one within as two");
    return false;
  }

  [[nodiscard]] const char* wrong_with_name() const {
    if (name_.empty()) return "the user's name is empty";
    if (name_.size() > UserList::kMaxNameBytes) return "the user's name is longer than 63 bytes";
    return name_.contains('\0') ? "the user's name has a zero byte in it" : nullptr;
  }

  std::optional<UserSecret> read_secret(std::size_t at) {
    auto secret = UserSecret::of(secret_);
    if (secret_.size() > UserList::kMaxSecretBytes) {
      problem(at, "the secret is longer than 2047 bytes");
    } else if (secret_.contains('\0')) {
      problem(at, "the secret has a zero byte in it");
    } else if (!secret) {
      problem(at, secret.error().message);
    } else {
      return std::move(*secret);
    }
    return std::nullopt;
  }

  void add(std::size_t at, UserSecret secret) {
    if (list_->size() == UserList::kMaxUsers) {
      is_stopped_ = true;
      return problem(at, "the file has more than 500000 users");
    }
    if (!list_->secrets_.try_emplace(name_, std::move(secret)).second) {
      problem(at, "this user stands in the file already: take one of the lines out");
    }
  }

  void problem(std::size_t at, std::string_view what) {
    place_.column = static_cast<std::uint32_t>(at + 1);
    problems_.add(place_, what);
  }

  std::shared_ptr<UserList> list_ = std::make_shared<UserList>();
  RuleProblems problems_;
  Place place_;
  std::string_view line_;
  std::size_t at_ = 0;  // in `line_`
  std::string name_;
  std::string secret_;
  bool is_stopped_ = false;
};

base::Result<std::shared_ptr<const UserList>> UserList::parse(std::string_view text,
                                                              const std::string& file_name) {
  return UserListReader(file_name).read(text);
}

base::Result<std::shared_ptr<const UserList>> UserList::load(const std::string& path) {
  auto text = config::read_secret_file(path, kMaxFileBytes);
  if (!text) return std::unexpected(text.error());
  auto list = parse(*text, path);
  // Not wipe(): behind its end are tens of megabytes that nothing was ever written to.
  OPENSSL_cleanse(text->data(), text->size());
  return list;
}

const UserSecret* UserList::find(std::string_view user) const {
  const auto found = secrets_.find(user);
  return found == secrets_.end() ? nullptr : &found->second;
}

}  // namespace helios::auth
