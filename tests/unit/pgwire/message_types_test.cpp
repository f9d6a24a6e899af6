// SPDX-License-Identifier: Apache-2.0
#include "pgwire/message_types.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace helios::pgwire {
namespace {

constexpr std::string_view kLargeFrontendTypes = "QPBFd";
constexpr std::string_view kSmallFrontendTypes = "EDCfcHSX";

// MaxAllocSize of the server is 0x3fffffff; both limits are those of its libpq/libpq.h.
TEST(FrontendLengthLimit, data_messages_reach_up_to_the_servers_limit) {
  for (const char type : kLargeFrontendTypes) {
    EXPECT_EQ(frontend_length_limit(type), 0x3FFFFFFEU) << type;
  }
}

TEST(FrontendLengthLimit, messages_of_names_are_small) {
  for (const char type : kSmallFrontendTypes) {
    EXPECT_EQ(frontend_length_limit(type), 10000U) << type;
  }
}

TEST(FrontendLengthLimit, authentication_answers_have_their_own) {
  EXPECT_EQ(frontend_length_limit('p'), 65535U);
}

TEST(FrontendLengthLimit, other_types_do_not_exist) {
  for (int byte = 0; byte < 256; ++byte) {
    const char type = static_cast<char>(byte);
    const bool exists =
        kLargeFrontendTypes.contains(type) || kSmallFrontendTypes.contains(type) || type == 'p';
    EXPECT_EQ(frontend_length_limit(type) != 0, exists) << byte;
  }
}

TEST(IsBackendType, exactly_the_messages_of_the_manual_exist) {
  constexpr std::string_view kTypes = {"RKv23CdcGHWDIEVnNAtS1sZT"};
  for (int byte = 0; byte < 256; ++byte) {
    const char type = static_cast<char>(byte);
    EXPECT_EQ(is_backend_type(type), kTypes.contains(type)) << byte;
  }
  EXPECT_EQ(kTypes.size(), 24U);
}

TEST(IsAsynchronous, only_what_answers_no_request_is) {
  for (int byte = 0; byte < 256; ++byte) {
    const char type = static_cast<char>(byte);
    EXPECT_EQ(is_asynchronous(type), type == 'N' || type == 'A' || type == 'S') << byte;
  }
}

}  // namespace
}  // namespace helios::pgwire
