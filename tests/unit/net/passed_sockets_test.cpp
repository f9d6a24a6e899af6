// SPDX-License-Identifier: Apache-2.0
//
// Sockets of a service manager are matched with configured addresses; what is left over is an error that names it.

#include "net/passed_sockets.hpp"

#include "net/engine/endpoint.hpp"
#include "unit/net/net_support.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>

namespace helios::net {
namespace {

using testing::HasSubstr;

TEST(PassedSockets, socket_is_taken_once_by_the_place_it_listens_on) {
  std::vector<PassedSocket> sockets;
  sockets.push_back({listen_on_loopback(), "clients", ""});
  const int number = sockets[0].socket.get();
  const auto place = local_endpoint(number).text();
  auto passed = PassedSockets::adopt(std::move(sockets));
  ASSERT_TRUE(passed) << passed.error().message;
  EXPECT_FALSE(passed->take("127.0.0.1:1"));
  const auto left = passed->check_all_taken();
  ASSERT_FALSE(left);
  EXPECT_THAT(left.error().message, HasSubstr("the socket \"clients\", which listens on " + place));
  const auto taken = passed->take(place);
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->get(), number);
  EXPECT_FALSE(passed->take(place));
  EXPECT_TRUE(passed->check_all_taken());
}

TEST(PassedSockets, what_does_not_listen_is_an_error_with_its_name) {
  std::vector<PassedSocket> sockets;
  sockets.push_back({Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)), "odd", ""});
  const auto passed = PassedSockets::adopt(std::move(sockets));
  ASSERT_FALSE(passed);
  EXPECT_THAT(passed.error().message, HasSubstr("socket \"odd\" of the service manager"));
  EXPECT_THAT(passed.error().message, HasSubstr("it is not a socket"));
}

TEST(PassedSockets, none_is_none) {
  auto passed = PassedSockets::adopt({});
  ASSERT_TRUE(passed);
  EXPECT_TRUE(passed->check_all_taken());
}

}  // namespace
}  // namespace helios::net
