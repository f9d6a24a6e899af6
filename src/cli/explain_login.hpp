// SPDX-License-Identifier: Apache-2.0
#pragma once

// `heliosproxy explain-login`: what is said on the command line.

#include "app/login_explanation.hpp"

namespace CLI {
class App;
}

namespace helios::cli {

struct ExplainLoginOptions {
  bool is_asked_for = false;  // false: the command line asks for something else
  app::LoginQuestion question;
};

// Adds the subcommand to `app`. Parsing fills `options`, which outlives `app`.
void declare_explain_login(CLI::App& app, ExplainLoginOptions& options);

}  // namespace helios::cli
