// SPDX-License-Identifier: Apache-2.0
#include "anchors/anchor_post.hpp"

#include <gtest/gtest.h>

namespace helios::anchors {
namespace {

TEST(AnchorPost, address_has_a_host_and_no_password) {
  for (const char* url :
       {"https://h", "https://h:1/p?q=1", "https://[::1]:8443/", "https://192.0.2.7/a"})
    EXPECT_TRUE(check_url(url)) << url;
  for (const char* url : {"", "h", "http://h/", "https://", "https://h h/", "https://h:99999/",
                          "https://u@h/", "https://u:p@h/", "https://:p@h/", "file:///etc/passwd"})
    EXPECT_FALSE(check_url(url)) << url;
}

TEST(AnchorPost, what_stands_behind_a_question_mark_is_not_shown) {
  EXPECT_EQ(shown_url("https://h/p"), "https://h/p");
  EXPECT_EQ(shown_url("https://h/p?signature=secret"), "https://h/p?...");
  EXPECT_EQ(shown_url("https://h/p#secret"), "https://h/p?...");
}

}  // namespace
}  // namespace helios::anchors
