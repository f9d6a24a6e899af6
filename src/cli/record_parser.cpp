// SPDX-License-Identifier: Apache-2.0
#include "cli/record_parser.hpp"

#include <boost/json/parse_options.hpp>

namespace helios::cli {
namespace {

boost::json::parse_options any_bytes() {
  boost::json::parse_options options;
  options.allow_invalid_utf8 = true;
  return options;
}

}  // namespace

RecordParser::RecordParser() : memory_(buffer_.data(), buffer_.size()), parser_({}, any_bytes()) {}

base::Result<const boost::json::object*> RecordParser::parse(std::string_view bytes) {
  value_.reset();
  parser_.reset();
  memory_.release();
  parser_.reset(&memory_);
  boost::system::error_code error;
  parser_.write(bytes.data(), bytes.size(), error);
  if (!error) value_.emplace(parser_.release());
  if (error || !value_->is_object()) return base::fail(base::Errc::invalid, "is not a JSON object");
  return &value_->get_object();
}

}  // namespace helios::cli
