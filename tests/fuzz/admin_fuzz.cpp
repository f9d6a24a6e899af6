// SPDX-License-Identifier: Apache-2.0
//
// The admin interface without its sockets. Every request gets one answer, with a status that HTTP
// knows, headers that cannot be broken out of, and a body that is what its type says. What was PUT is
// what is read back. A browser's request from elsewhere changes nothing.
// Input: lines "METHOD target", "Name: value"..., an empty line, the body.

#include "admin/target.hpp"
#include "base/text.hpp"
#include "fuzz/support/fuzz.hpp"
#include "kv/memory_store.hpp"
#include "kv/transaction.hpp"
#include "support/fake_clock.hpp"
#include "unit/admin/router_fixture.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace helios::fuzz {
namespace {

using admin::Method;
using admin::Request;
using admin::Response;

Method method_of(std::string_view word) {
  constexpr std::array<std::pair<std::string_view, Method>, 5> kMethods = {
      {{"GET", Method::get},
       {"HEAD", Method::head},
       {"PUT", Method::put},
       {"POST", Method::post},
       {"DELETE", Method::del}}};
  const auto* const found =
      std::ranges::find(kMethods, word, &std::pair<std::string_view, Method>::first);
  return found == kMethods.end() ? Method::other : found->second;
}

void read_header(std::string_view line, Request& request) {
  const std::size_t colon = line.find(": ");
  if (colon == std::string_view::npos) return;
  const std::string_view name = line.substr(0, colon);
  const std::string value(line.substr(colon + 2));
  if (name == "Accept") request.accept = value;
  if (name == "Host") request.host = value;
  if (name == "Origin") request.origin = value;
  if (name == "Sec-Fetch-Site") request.sec_fetch_site = value;
}

Request read_request(std::string_view text) {
  Input input(text);
  Input first(input.take_line());
  Request request;
  request.method = method_of(first.take_until(' '));
  request.target = first.rest();
  request.host = "localhost";
  while (!input.empty()) {
    const std::string_view line = input.take_line();
    if (line.empty()) break;
    read_header(line, request);
  }
  request.body = input.rest();
  return request;
}

// A proxy with a few keys, a stream, one plugin and limits that are soon reached.
class Admin {
 public:
  Admin() : store_(limits(), clock_), router_(store_) {
    admin::PluginStatus plugin;
    plugin.name = "a\xFF\"b";
    plugin.last_error = "trap\n";
    router_.control.plugin_list.push_back(std::move(plugin));
    for (const char* key : {"a", "a/b", "b%3F"}) {
      Request request = local(Method::put, "/admin/kv/counter/" + std::string(key));
      request.body = "\xFF\x01v";
      require(ask(std::move(request)).status == 200, "a first key");
    }
    for (const char* bytes : {"text", "\xFF", ""}) append(bytes);
  }

  // As curl on the same machine asks.
  static Request local(Method method, std::string target) {
    Request request = admin::request(method, std::move(target));
    request.host = "localhost";
    return request;
  }

  Response ask(Request request) {
    const auto exchange = router_.start(std::move(request));
    router_.control.reads.run_all();
    router_.home->run_all();
    while (!router_.control.reloads.empty()) {
      auto done = std::move(router_.control.reloads.back());
      router_.control.reloads.pop_back();
      done(base::fail(base::Errc::invalid, "no\n\xFF plugin"));
      router_.home->run_all();
    }
    require(exchange->answers == 1, "one answer");
    return std::move(*exchange->response);
  }

  // Everything that is stored, in a form that can be compared.
  [[nodiscard]] std::string content() {
    std::string all;
    for (kv::Namespace* space : store_.namespaces()) {
      all += space->name() + "\n";
      for (const kv::Item& item : store_.scan(*space, {}).items) {
        all += item.key + "=" + item.value + "\n";
      }
      for (const kv::StreamInfo& info : store_.streams(*space))
        all += info.name + "#" + std::to_string(info.extent.first) + "," +
               std::to_string(info.extent.next) + "\n";
    }
    return all;
  }

 private:
  void append(std::string_view bytes) {
    kv::Transaction transaction(store_, **store_.open("counter"));
    require(transaction.append("trail", bytes) == kv::WriteStatus::ok, "a record");
    require(transaction.commit({}) == kv::CommitStatus::done, "a first record");
  }

  static kv::Limits limits() {
    kv::Limits limits;
    limits.max_key_bytes = 32;
    limits.max_value_bytes = 64;
    limits.max_keys_per_namespace = 6;
    limits.max_namespaces = 4;
    return limits;
  }

  test::FakeClock clock_;
  kv::MemoryStore store_;
  admin::RouterDriver router_;
};

void check_response(const Response& response) {
  require(response.status >= 200 && response.status < 600, "a status");
  for (const admin::Header& header : response.headers) {
    const auto is_control = [](unsigned char c) { return c < ' ' || c == 0x7F; };
    require(std::ranges::none_of(header.value, is_control), "a header of one line");
  }
  if (response.content_type != "application/json") {
    require(response.status < 400, "errors are JSON");
    return;
  }
  boost::json::error_code error;
  const boost::json::value value = boost::json::parse(response.body, error);
  require(!error, "a JSON body: " + response.body);
  require(base::is_valid_utf8(response.body), "a body in UTF-8");
  if (response.status >= 400) {
    require(value.is_object() && value.get_object().contains("error"), "an error says what it is");
  }
}

// A GET of what was deleted: a key, or the listing of all keys with a prefix.
void check_gone(const Response& response) {
  if (response.status == 404) return;
  require(response.status == 200, "keys can be listed");
  require(boost::json::parse(response.body).at("keys").as_array().empty(), "all of them are gone");
}

// Which path the request names is decided before the question mark.
void check_round_trip(Admin& admin, const Request& request) {
  Request read = Admin::local(Method::get, request.target);
  read.accept = "application/octet-stream";
  const Response response = admin.ask(std::move(read));
  if (request.method == Method::put) {
    require(response.status == 200, "what was written is there");
    require_equal(response.body, request.body, "what was written is read");
  } else {
    check_gone(response);
  }
}

void check_target(std::string_view target) {
  const auto decoded = admin::percent_decode(target);
  const std::string encoded = admin::percent_encode(target);
  const auto again = admin::percent_decode(encoded);
  require(again.has_value(), "what was encoded decodes");
  require_equal(*again, target, "encoding and back");
  require(!decoded || decoded->size() <= target.size(), "decoding never grows");
  const admin::TargetView view = admin::split_target(target);
  require(view.path.size() + view.query.size() <= target.size(), "parts of the target");
}

}  // namespace
}  // namespace helios::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace helios;
  using namespace helios::fuzz;
  const Request request = read_request(text_of(data, size));
  check_target(request.target);
  Admin admin;
  const std::string before = admin.content();
  const Response response = admin.ask(request);
  check_response(response);
  const bool is_write = request.method == Method::put || request.method == Method::del;
  if (!is_write || response.status >= 400) {
    require_equal(admin.content(), before, "a request that changes nothing");
  } else {
    check_round_trip(admin, request);
  }
  return 0;
}
