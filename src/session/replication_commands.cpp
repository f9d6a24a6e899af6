// SPDX-License-Identifier: Apache-2.0
#include "session/replication_commands.hpp"

#include <algorithm>
#include <iterator>

namespace helios::session {

bool is_replication_command(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n\r\f\v";
  constexpr std::string_view kCommands[] = {
      "ALTER_REPLICATION_SLOT", "BASE_BACKUP",      "CREATE_REPLICATION_SLOT",
      "DROP_REPLICATION_SLOT",  "IDENTIFY_SYSTEM",  "READ_REPLICATION_SLOT",
      "START_REPLICATION",      "TIMELINE_HISTORY", "UPLOAD_MANIFEST"};
  text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
  const std::string_view word = text.substr(0, text.find_first_of(" \t\n\r\f\v;("));
  return std::ranges::find(kCommands, word) != std::end(kCommands);
}

}  // namespace helios::session
