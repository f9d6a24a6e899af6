// SPDX-License-Identifier: Apache-2.0
#include "cli/explain_login.hpp"

#include <CLI/CLI.hpp>

namespace helios::cli {

void declare_explain_login(CLI::App& app, ExplainLoginOptions& options) {
  CLI::App* command = app.add_subcommand(
      "explain-login", "Say which rules a login would meet, by the files of --config");
  app::LoginQuestion& question = options.question;
  command->add_option("--user", question.user, "Who logs in")->required();
  command->add_option("--database", question.database, "To which database; without it, his own");
  command->add_option("--address", question.address,
                      "His IP address; without it, he comes by the Unix socket");
  command->add_option("--os-user", question.os_user,
                      "Who he is for the system, by the Unix socket");
  command->add_flag("--tls", question.is_encrypted, "With TLS");
  command->add_option("--cert", question.certificate_file, "The certificate that he shows (PEM)");
  command->add_flag("--replication", question.is_replication, "For physical replication");
  command->callback([&options] { options.is_asked_for = true; });
}

}  // namespace helios::cli
