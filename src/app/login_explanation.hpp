// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the configuration says of a login that nobody makes: `heliosproxy explain-login`. The files of [auth] are read as at a
// start; nobody is asked, and no password is looked at.

#include "base/result.hpp"
#include "config/config.hpp"

#include <string>

namespace helios::app {

// Who would come.
struct LoginQuestion {
  std::string user;
  std::string database;  // empty: as the user
  std::string address;   // empty: by the Unix socket
  std::string os_user;   // by the Unix socket: who the system says that he is
  bool is_encrypted = false;
  bool is_replication = false;  // physical
  std::string
      certificate_file;  // PEM, that he shows; empty: none. Says nothing of who has signed it
};

struct LoginExplanation {
  bool may_get_in = false;  // if he has what is asked for
  std::string text;         // lines "word      what", for people
};

// Errors: those of the files, and of a certificate that is none.
[[nodiscard]] base::Result<LoginExplanation> explain_login(const config::Config& config,
                                                           const LoginQuestion& question);

}  // namespace helios::app
