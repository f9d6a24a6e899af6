// SPDX-License-Identifier: Apache-2.0
#pragma once

// pg_ident.conf as PostgreSQL 17 reads it (manual, 21.2): as which database users somebody may log in whose name comes from
// elsewhere, from a certificate or the operating system. Records are MAPNAME SYSTEM-USERNAME DATABASE-USERNAME, in lines as
// rule_file.hpp says; the database user may be all.
//
// Errors here, beyond PostgreSQL's: regular expressions, +role, and a fourth column, which it passes over.
//
// Thread rule: a map is never changed once it is read; any thread.

#include "auth/file_reader.hpp"
#include "auth/host_rule.hpp"
#include "base/result.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace helios::auth {

class RuleProblems;
struct RuleRecord;

class UserMap {
 public:
  // No maps at all: for a proxy without such a file.
  UserMap() = default;

  // The maps of `path` and what it includes; there may be none. Errors: as of HostRules::read().
  [[nodiscard]] static base::Result<std::shared_ptr<const UserMap>> read(const std::string& path,
                                                                         const FileReader& files);
  // The same from the file system.
  [[nodiscard]] static base::Result<std::shared_ptr<const UserMap>> load(const std::string& path);

  // May `system_user` log in as `database_user`? Without a map (empty) the names must be equal; a map that no record has
  // allows nothing, nor is anything allowed to a system user without a name. Names are compared byte by byte.
  [[nodiscard]] bool allows(std::string_view map, std::string_view system_user,
                            std::string_view database_user) const;

  // Does a record have this map? A rule that names one that is nowhere lets nobody in: for whoever reads both files.
  [[nodiscard]] bool has(std::string_view map) const;

 private:
  // Of one map: as whom each system user may log in.
  using Map = std::map<std::string, NameSet, std::less<>>;

  void add(const RuleRecord& record, RuleProblems& problems);

  std::map<std::string, Map, std::less<>> maps_;
};

}  // namespace helios::auth
