// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads [tls]. Private to config.

#include "config/config.hpp"
#include "config/toml_section.hpp"

#include <string_view>

namespace helios::config {

void read_tls(TomlSection section, Tls& out);

// The keys of [server] about TLS; does not finish the section.
void read_server_tls(TomlSection& section, ServerTls& out);

// A certificate and its key, under the names that these keys have in `section`: both are there, or neither.
void read_certificate_files(TomlSection& section, std::string_view certificate_key,
                            std::string_view key_key, CertificateFiles& out);

}  // namespace helios::config
