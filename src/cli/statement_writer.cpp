// SPDX-License-Identifier: Apache-2.0
#include "cli/statement_writer.hpp"

#include "cli/audit_copy.hpp"
#include "cli/audit_statement.hpp"

#include <boost/json/serialize.hpp>

#include <ostream>
#include <utility>

namespace helios::cli {
namespace {

class TextWriter final : public StatementWriter {
 public:
  void write(const boost::json::object& fields, std::ostream& out) override {
    out << to_line(fields) << '\n';
  }
};

class JsonWriter final : public StatementWriter {
 public:
  void write(const boost::json::object& fields, std::ostream& out) override {
    out << boost::json::serialize(fields) << '\n';
  }
};

class SqlWriter final : public StatementWriter {
 public:
  void begin(std::ostream& out) override { out << copy_begin(); }
  void write(const boost::json::object& fields, std::ostream& out) override {
    out << copy_row(fields);
  }
  void end(std::ostream& out) override { out << copy_end(); }
};

}  // namespace

std::unique_ptr<StatementWriter> make_writer(StatementFormat format) {
  switch (format) {
    case StatementFormat::text: return std::make_unique<TextWriter>();
    case StatementFormat::jsonl: return std::make_unique<JsonWriter>();
    case StatementFormat::sql: return std::make_unique<SqlWriter>();
  }
  std::unreachable();
}

}  // namespace helios::cli
