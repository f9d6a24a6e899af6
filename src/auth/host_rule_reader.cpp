// SPDX-License-Identifier: Apache-2.0

#include "auth/host_rule_reader.hpp"

#include "auth/host_rule_options.hpp"
#include "auth/name_column.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <utility>

namespace helios::auth {
namespace {

constexpr std::array kMethods = {Method::trust,         Method::reject,     Method::password,
                                 Method::md5,           Method::cert,       Method::peer,
                                 Method::scram_sha_256, Method::passthrough};

// PostgreSQL's other methods, of all versions.
constexpr std::array<std::string_view, 9> kForeignMethods = {
    "gss", "sspi", "ident", "ldap", "radius", "pam", "bsd", "oauth", "krb5"};

constexpr std::string_view kKnownMethods =
    "must be one of trust, reject, password, md5, scram-sha-256, cert, peer, passthrough";

class HostRuleReader {
 public:
  HostRuleReader(const RuleRecord& record, RuleProblems& problems)
      : record_(record), problems_(problems) {}

  HostRule read() {
    rule_.place = record_.place.line_text();
    rule_.text = record_.text;
    // Without a type nobody knows what the columns are.
    if (!read_type()) return rule_;
    if (const auto* field = next("the databases")) read_databases(*field);
    if (const auto* field = next("the users")) {
      rule_.users = read_names(*field, NameColumn::users, problems_);
    }
    if (rule_.type != ConnectionType::local) read_address();
    if (const auto* token = next_single("the method"); token != nullptr && read_method(*token)) {
      read_host_rule_options(std::span(record_.fields).subspan(at_), rule_, problems_);
    }
    return std::move(rule_);
  }

 private:
  // The next column. Null: the line has ended, which is said once.
  const RuleField* next(std::string_view what) {
    if (at_ < record_.fields.size()) return &record_.fields[at_++];
    if (!std::exchange(has_ended_, true)) {
      problems_.add(record_.end, "the line ends before " + std::string(what));
    }
    return nullptr;
  }

  // The next column, one that is no list.
  const RuleToken* next_single(std::string_view what) {
    const auto* field = next(what);
    if (field == nullptr) return nullptr;
    if (field->size() > 1) {
      problems_.add((*field)[1].place, "a list cannot stand for " + std::string(what));
      return nullptr;
    }
    return &field->front();
  }

  bool read_type() {
    const auto* token = next_single("the type");
    if (token == nullptr) return false;
    const std::string& word = token->text;
    if (word == "local") {
      rule_.type = ConnectionType::local;
    } else if (word == "host" || word == "hostnogssenc") {
      rule_.type = ConnectionType::host;
    } else if (word == "hostssl") {
      rule_.type = ConnectionType::hostssl;
    } else if (word == "hostnossl") {
      rule_.type = ConnectionType::hostnossl;
    } else {
      problems_.add(token->place,
                    word == "hostgssenc"
                        ? "hostgssenc is not supported: the proxy has no GSSAPI encryption"
                        : in_quotes(word) +
                              " is no type: must be one of local, host, hostssl, hostnossl, "
                              "hostnogssenc");
      return false;
    }
    return true;
  }

  void read_databases(const RuleField& field) {
    RuleField names;
    for (const auto& token : field) {
      if (token.is_keyword("sameuser")) {
        rule_.databases.same_user = true;
      } else if (token.is_keyword("replication")) {
        rule_.databases.replication = true;
      } else {
        names.push_back(token);
      }
    }
    rule_.databases.names = read_names(names, NameColumn::databases, problems_);
  }

  void read_address() {
    const auto* token = next_single("the address");
    if (token == nullptr || token->is_keyword("all")) return;
    if (token->is_keyword("samehost") || token->is_keyword("samenet")) {
      problems_.add(token->place, token->text + " is not supported: write the addresses");
      return;
    }
    const bool has_mask_column = IpAddress::parse(token->text).has_value() &&
                                 at_ < record_.fields.size() && record_.fields[at_].size() == 1 &&
                                 !is_method(at_);
    if (!has_mask_column) {
      take(*token, AddressRange::parse(token->text));
    } else {
      const RuleToken& mask = record_.fields[at_++].front();
      // An address is all that is known of the one; if that is not what is wrong, it is the mask.
      const bool is_mask_wrong = !IpAddress::parse(token->text)->is_mapped_ipv4();
      take(is_mask_wrong ? mask : *token, AddressRange::parse(token->text, mask.text));
    }
  }

  void take(const RuleToken& token, base::Result<AddressRange> range) {
    if (range) {
      rule_.addresses = *range;
    } else {
      problems_.add(token.place, range.error().message);
    }
  }

  // Of a mask that was forgotten, the method stands in the place.
  [[nodiscard]] bool is_method(std::size_t column) const {
    const std::string& word = record_.fields[column].front().text;
    return std::ranges::find(kMethods, word, name_of) != kMethods.end() ||
           std::ranges::find(kForeignMethods, word) != kForeignMethods.end();
  }

  bool read_method(const RuleToken& token) {
    const auto found = std::ranges::find(kMethods, token.text, name_of);
    if (found == kMethods.end()) {
      const bool is_foreign =
          std::ranges::find(kForeignMethods, token.text) != kForeignMethods.end();
      problems_.add(token.place, (is_foreign ? "method " + token.text + " is not supported: "
                                             : in_quotes(token.text) + " is no method: ") +
                                     std::string(kKnownMethods));
      return false;
    }
    rule_.method = *found;
    if (rule_.method == Method::peer && rule_.type != ConnectionType::local) {
      problems_.add(token.place, "method peer is for local only: it asks the Unix socket");
    }
    if (rule_.method == Method::cert && rule_.type != ConnectionType::hostssl) {
      problems_.add(token.place, "method cert is for hostssl only");
    }
    return true;
  }

  const RuleRecord& record_;
  RuleProblems& problems_;
  HostRule rule_;
  std::size_t at_ = 0;  // of the next column
  bool has_ended_ = false;
};

}  // namespace

HostRule read_host_rule(const RuleRecord& record, RuleProblems& problems) {
  return HostRuleReader(record, problems).read();
}

}  // namespace helios::auth
