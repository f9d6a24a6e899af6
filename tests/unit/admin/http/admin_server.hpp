// SPDX-License-Identifier: Apache-2.0
#pragma once

// The whole admin interface on a real socket, over a store in memory.

#include "admin/http/server.hpp"
#include "admin/router.hpp"
#include "kv/memory_store.hpp"
#include "support/capture_log.hpp"
#include "support/fake_clock.hpp"
#include "unit/admin/fake_control.hpp"
#include "unit/admin/http/raw_client.hpp"
#include "unit/admin/http/requests.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <utility>

namespace helios::admin::http {

class AdminServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* const space : {"p", "cost-governor"}) ASSERT_TRUE(store.open(space));
    const auto started =
        server.start(any_port(), nullptr, [this](Request message, Responder respond) {
          router.handle(std::move(message), std::move(respond));
        });
    ASSERT_TRUE(started) << started.error().message;
    port = server.addresses().at(0).port;
  }
  void TearDown() override { server.stop(); }  // before the router goes

  test::CaptureLog log;
  test::FakeClock clock;
  kv::MemoryStore store{kv::Limits{}, clock};
  FakeControl control;
  Server server{log, Limits{}};
  AccessGuard access{log, clock, std::make_shared<const TokenSet>()};
  Router router{store, control, server.executor(), access, 1};
  std::uint16_t port = 0;
};

}  // namespace helios::admin::http
