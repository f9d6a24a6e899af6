// SPDX-License-Identifier: Apache-2.0
#pragma once

// pg_hba.conf and pg_ident.conf as records of fields, with everything that they include: the part that both have in common
// (manual, 21.1 and 21.2). What a record means, others know.
//
//   include FILE, include_if_exists FILE, include_dir FOLDER   records of other files, in place of this line
//   @FILE in a field                                           every token of that file, in place of this one
//
// A path is relative to the folder of the file in which it stands; of a folder, the files are read whose names end with
// ".conf" and do not begin with '.', by name. A file that includes itself is an error, as are more than ten files within
// each other.
//
// Stricter than PostgreSQL: a quote that nothing closes, a zero byte, and an @FILE without any token are errors. There, the
// first two end with the line, and the last lets the fields behind it slip one to the left.

#include "auth/file_reader.hpp"
#include "auth/rule_problems.hpp"
#include "auth/rule_tokens.hpp"
#include "base/function_view.hpp"
#include "base/result.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace helios::auth {

struct RuleRecord {
  Place place;                    // of its first token
  std::string text;               // the line as it reads, joined, without blanks around it
  std::vector<RuleField> fields;  // never empty
  Place end;                      // behind its last token
};

// More than anybody looks through, and what is gone through for each login.
inline constexpr std::size_t kMaxRecords = 10'000;

// Gives the records of `path` to `take`, in order, at most kMaxRecords. What is wrong goes into `problems` as it is met, so
// that what `take` has to say stands between, in its place; the records are only of use for that then.
// Errors: those of `files.read` for `path` itself.
[[nodiscard]] base::Result<void> read_rule_file(const std::string& path, const FileReader& files,
                                                RuleProblems& problems,
                                                base::FunctionView<void(const RuleRecord&)> take);

}  // namespace helios::auth
