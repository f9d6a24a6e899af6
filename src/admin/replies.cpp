// SPDX-License-Identifier: Apache-2.0
#include "admin/replies.hpp"

#include "base/text.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <utility>

namespace helios::admin {

Response error_reply(int status, std::string_view text) {
  const boost::json::object body{{"error", readable(text)}};
  Response response;
  response.status = status;
  response.body = boost::json::serialize(body);
  return response;
}

Response ok_reply() {
  Response response;
  response.body = R"({"ok":true})";
  return response;
}

Response method_not_allowed(std::string allow, std::string_view text) {
  Response response = error_reply(405, text);
  response.headers.push_back({"Allow", std::move(allow)});
  return response;
}

std::string readable(std::string_view bytes) {
  return base::is_valid_utf8(bytes) ? std::string(bytes)
                                    : base::escape_for_log(bytes, bytes.size());
}

}  // namespace helios::admin
