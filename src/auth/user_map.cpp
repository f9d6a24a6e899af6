// SPDX-License-Identifier: Apache-2.0

#include "auth/user_map.hpp"

#include "auth/name_column.hpp"
#include "auth/rule_file.hpp"

#include <algorithm>
#include <array>

namespace helios::auth {
namespace {

constexpr std::array<std::string_view, 3> kColumns = {"the map's name", "the system user",
                                                      "the database user"};

// Three columns of one name each; what else there is goes into `problems`.
bool check_columns(const RuleRecord& record, RuleProblems& problems) {
  const auto before = problems.added();
  if (record.fields.size() < kColumns.size()) {
    problems.add(record.end, "the line ends before " + std::string(kColumns[record.fields.size()]));
  }
  if (record.fields.size() > kColumns.size()) {
    problems.add(record.fields[kColumns.size()].front().place,
                 "there are three columns: quote a name that has blanks in it");
  }
  for (std::size_t i = 0; i < std::min(record.fields.size(), kColumns.size()); ++i) {
    if (record.fields[i].size() == 1) continue;
    problems.add(record.fields[i][1].place,
                 "a list cannot stand for " + std::string(kColumns[i]) + ": write a line for each");
  }
  return problems.added() == before;
}

}  // namespace

void UserMap::add(const RuleRecord& record, RuleProblems& problems) {
  if (!check_columns(record, problems)) return;
  const auto& map = record.fields[0].front();
  const auto& system_user = record.fields[1].front();
  // The map's name is only ever compared with that of a rule: a '/' means nothing in it.
  if (map.text.empty()) problems.add(map.place, "a name cannot be empty");
  check_name(system_user, problems);
  const auto users = read_names(record.fields[2], NameColumn::users, problems);
  auto& known = maps_[map.text][system_user.text];
  known.all = known.all || users.all;
  known.names.insert(known.names.end(), users.names.begin(), users.names.end());
}

base::Result<std::shared_ptr<const UserMap>> UserMap::read(const std::string& path,
                                                           const FileReader& files) {
  RuleProblems problems;
  auto result = std::make_shared<UserMap>();
  const auto done = read_rule_file(
      path, files, problems, [&](const RuleRecord& record) { result->add(record, problems); });
  if (!done) return std::unexpected(done.error());
  if (problems.any()) return base::fail(base::Errc::invalid, problems.message());
  for (auto& [name, map] : result->maps_) {
    for (auto& [system_user, users] : map) std::ranges::sort(users.names);
  }
  return result;
}

base::Result<std::shared_ptr<const UserMap>> UserMap::load(const std::string& path) {
  return read(path, real_files());
}

bool UserMap::allows(std::string_view map, std::string_view system_user,
                     std::string_view database_user) const {
  if (map.empty()) return !system_user.empty() && system_user == database_user;
  const auto users_of = maps_.find(map);
  if (users_of == maps_.end()) return false;
  const auto users = users_of->second.find(system_user);
  return users != users_of->second.end() && users->second.contains(database_user);
}

bool UserMap::has(std::string_view map) const { return maps_.contains(map); }

}  // namespace helios::auth
