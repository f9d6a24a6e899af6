// SPDX-License-Identifier: Apache-2.0
#pragma once

// How statements of a trail are printed.

#include <boost/json/object.hpp>

#include <cstdint>
#include <iosfwd>
#include <memory>

namespace helios::cli {

enum class StatementFormat {
  text,   // a line for people, see to_line()
  jsonl,  // a JSON object a line
  sql,    // a script for psql, see audit_copy.hpp
};

// Flow: begin(), write() each, end(), which an error leaves out.
class StatementWriter {
 public:
  virtual ~StatementWriter() = default;
  virtual void begin(std::ostream& /*out*/) {}
  virtual void write(const boost::json::object& fields, std::ostream& out) = 0;
  virtual void end(std::ostream& /*out*/) {}
};

[[nodiscard]] std::unique_ptr<StatementWriter> make_writer(StatementFormat format);

}  // namespace helios::cli
