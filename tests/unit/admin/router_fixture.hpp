// SPDX-License-Identifier: Apache-2.0
#pragma once

// A router on a store of choice, asked without a socket.

#include "admin/router.hpp"
#include "support/capture_log.hpp"
#include "support/fake_clock.hpp"
#include "support/manual_executor.hpp"
#include "unit/admin/fake_control.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace helios::admin {

// Of somebody who means it: a namespace that is not there is made.
inline Request request(Method method, std::string target, std::string body = {}) {
  Request result;
  result.new_namespace = "true";
  result.method = method;
  result.target = std::move(target);
  result.body = std::move(body);
  return result;
}

// One request under way.
struct Exchange {
  std::optional<Response> response;
  int answers = 0;
};

class RouterDriver {
 public:
  explicit RouterDriver(kv::Store& store, config::Admin configured = {}, StartId start = 1)
      : access(log, clock, TokenSet::load(configured).value()),
        router_(store, control, home, access, start) {}

  // Hands the request over; the exchange has its response when (and if) it comes.
  std::shared_ptr<Exchange> start(Request request) {
    auto exchange = std::make_shared<Exchange>();
    router_.handle(std::move(request), [exchange](Response response) {
      exchange->response = std::move(response);
      ++exchange->answers;
    });
    return exchange;
  }

  // Requires: the answer comes at once or by what waits on `home`, or to be read.
  Response send(Request request) {
    const auto exchange = start(std::move(request));
    control.reads.run_all();
    home->run_all();
    EXPECT_EQ(exchange->answers, 1);
    return exchange->response.value_or(Response());
  }

  Response send(Method method, std::string target, std::string body = {}) {
    return send(request(method, std::move(target), std::move(body)));
  }

  Response get(std::string target) { return send(Method::get, std::move(target)); }
  Response put(std::string target, std::string body) {
    return send(Method::put, std::move(target), std::move(body));
  }
  Response del(std::string target) { return send(Method::del, std::move(target)); }

  FakeControl control;
  test::CaptureLog log;
  test::FakeClock clock;
  AccessGuard access;
  std::shared_ptr<test::ManualExecutor> home = std::make_shared<test::ManualExecutor>();

 private:
  Router router_;
};

// The value of a header of the response, empty when it has none.
inline std::string header_of(const Response& response, const std::string& name) {
  for (const Header& header : response.headers)
    if (header.name == name) return header.value;
  return {};
}

}  // namespace helios::admin
