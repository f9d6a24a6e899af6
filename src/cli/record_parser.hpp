// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads the records of a trail, each one JSON object, one after the other. Whoever reads very many keeps one of these: it
// uses its memory again, which makes it several times as fast as parse_object().

#include "base/result.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parser.hpp>
#include <boost/json/value.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace helios::cli {

// Thread rule: one thread at a time.
class RecordParser {
 public:
  RecordParser();
  RecordParser(const RecordParser&) = delete;
  RecordParser& operator=(const RecordParser&) = delete;

  // Bytes that are not UTF-8 are taken as they are. The object lives until the next call. Errors: invalid.
  [[nodiscard]] base::Result<const boost::json::object*> parse(std::string_view bytes);

 private:
  static constexpr std::size_t kBufferBytes = 32U << 10;  // most records need no more

  std::array<unsigned char, kBufferBytes> buffer_{};
  boost::json::monotonic_resource memory_;
  boost::json::parser parser_;
  std::optional<boost::json::value> value_;  // its memory is memory_
};

}  // namespace helios::cli
