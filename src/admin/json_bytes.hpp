// SPDX-License-Identifier: Apache-2.0
#pragma once

// Bytes in JSON, which only knows text: what is not UTF-8 appears encoded and under another name, so
// that nobody takes the encoded form for the real one.

#include "admin/target.hpp"
#include "base/base64.hpp"
#include "base/text.hpp"
#include "kv/charge.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <string>
#include <string_view>

namespace helios::admin {

// "key", or "key_percent_encoded", which is ready for a URL.
inline void put_key(boost::json::object& object, std::string_view key) {
  if (base::is_valid_utf8(key))
    object["key"] = key;
  else
    object["key_percent_encoded"] = percent_encode(key);
}

// "value", or "value_base64".
inline void put_value(boost::json::object& object, std::string_view value) {
  if (base::is_valid_utf8(value))
    object["value"] = value;
  else
    object["value_base64"] = base::base64_encode(value);
}

// "counter", beside the value: the number that 8 bytes stand for where kv_incr has written them. Nobody notes what a value
// is, so 8 letters that people can read are none; a counter from -2^56 to 2^56 is never taken for such.
inline void put_counter(boost::json::object& object, std::string_view value) {
  const auto is_letter = [](char c) { return c >= ' ' && c <= '~'; };
  const auto number = kv::number_in(value);
  if (number && !std::ranges::all_of(value, is_letter)) object["counter"] = *number;
}

}  // namespace helios::admin
