// SPDX-License-Identifier: Apache-2.0
#include "auth/login_rules.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace helios::auth {
namespace {

constexpr std::uint32_t kIterations = 4096;  // as PostgreSQL's scram_iterations

// Each user's salt is his own, and the same at each start.
StoredPassword store(std::string_view user, const std::string& password,
                     std::string_view mock_secret) {
  const SecretText prepared = prepare_password(password);
  return {SecretText(password),
          make_verifier(prepared.text(), make_mock_verifier(user, mock_secret).salt, kIterations)};
}

StoredSecret store(std::string_view user, const UserSecret& secret, std::string_view mock_secret) {
  switch (secret.kind) {
    case SecretKind::none: return std::monostate();
    case SecretKind::plain: return store(user, secret.text.text(), mock_secret);
    case SecretKind::md5: return Md5Hash{secret.text};
    case SecretKind::scram_sha_256:
      return *parse_verifier(secret.text.text());  // UserSecret has looked
  }
  return std::monostate();
}

// A start must not take minutes.
base::Result<void> check_passwords(const UserList& users, const std::string& file) {
  constexpr std::ptrdiff_t kMost = 10'000;
  const auto count = std::ranges::count_if(
      users.all(), [](const auto& each) { return each.second.kind == SecretKind::plain; });
  if (count <= kMost) return {};
  return base::fail(base::Errc::limit_exceeded,
                    file + ": has " + std::to_string(count) + " passwords in clear, more than " +
                        std::to_string(kMost) +
                        ": write SCRAM verifiers, which take no time to be read");
}

bool asks_for_password(Method method) {
  return method == Method::password || method == Method::md5 || method == Method::scram_sha_256;
}

}  // namespace

base::Result<SharedLoginRules> LoginRules::load(const config::Auth& settings,
                                                std::string mock_secret) {
  std::shared_ptr<LoginRules> made(new LoginRules());
  made->mock_secret_ = std::move(mock_secret);
  std::string wrong;
  const auto note = [&wrong](const auto& result) {
    if (!result) wrong += (wrong.empty() ? "" : "\n") + result.error().message;
    return result.has_value();
  };
  auto rules = HostRules::load(settings.hba_file);
  if (note(rules)) made->host_rules_ = *std::move(rules);
  auto map = settings.ident_file.empty() ? std::make_shared<const UserMap>()
                                         : UserMap::load(settings.ident_file);
  if (note(map)) made->user_map_ = *std::move(map);
  if (!settings.user_file.empty()) {
    const auto users = UserList::load(settings.user_file);
    if (note(users)) {
      if (const auto few = check_passwords(**users, settings.user_file); note(few))
        made->take(**users);
    }
  }
  made->count_iterations();
  if (wrong.empty()) wrong = made->complaint(settings);
  if (!wrong.empty()) return base::fail(base::Errc::invalid, std::move(wrong));
  return made;
}

void LoginRules::take(const UserList& users) {
  for (const auto& [user, secret] : users.all())
    secrets_.emplace(user, store(user, secret, mock_secret_));
}

void LoginRules::count_iterations() {
  std::map<std::uint32_t, std::size_t> counts;
  for (const auto& [user, secret] : secrets_) {
    if (const auto* verifier = std::get_if<ScramVerifier>(&secret)) ++counts[verifier->iterations];
  }
  const auto most =
      std::ranges::max_element(counts, {}, [](const auto& each) { return each.second; });
  if (most != counts.end()) mock_iterations_ = most->first;
}

// What each file alone cannot tell.
std::string LoginRules::complaint(const config::Auth& settings) const {
  std::string all;
  const auto add = [&all](const HostRule& rule, const std::string& what) {
    all += (all.empty() ? "" : "\n") + rule.place + ": " + what;
  };
  for (const auto& rule : rules()) {
    if (!rule.map.empty() && !user_map_->has(rule.map))
      add(rule, "there is no map \"" + rule.map + "\" in ident_file");
    if (asks_for_password(rule.method) && settings.user_file.empty())
      add(rule, "method " + std::string(name_of(rule.method)) +
                    " needs [auth] user_file, in which secrets stand; or write passthrough, and "
                    "the server asks");
    if (rule.method == Method::password && rule.type == ConnectionType::hostnossl &&
        !settings.allow_cleartext_passwords)
      add(rule,
          "passwords would cross the network in clear: use scram-sha-256, or set [auth] "
          "allow_cleartext_passwords");
  }
  return all;
}

const StoredSecret& LoginRules::secret_of(std::string_view user) const {
  static const StoredSecret nothing;
  const auto found = secrets_.find(user);
  return found == secrets_.end() ? nothing : found->second;
}

}  // namespace helios::auth
