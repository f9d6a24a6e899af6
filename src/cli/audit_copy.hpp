// SPDX-License-Identifier: Apache-2.0
#pragma once

// Statements of a trail as a script for psql that fills a table by COPY.

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

namespace helios::cli {

// The script is one transaction. It makes the table helios_audit if it is not there. A statement that is in the table already, by
// its request, keeps its place, and gets what was not known of it before; so exports may overlap. A script that is cut short
// changes nothing.
//
// Flow: copy_begin(), copy_row() for each statement, copy_end(); the texts, one after the other.
[[nodiscard]] std::string copy_begin();
// `fields`: of to_object().
[[nodiscard]] std::string copy_row(const boost::json::object& fields);
[[nodiscard]] std::string copy_end();

// One value in the text format of COPY ("COPY", File Formats, in PostgreSQL's manual). Requires: no zero byte.
[[nodiscard]] std::string copy_escaped(std::string_view text);

}  // namespace helios::cli
