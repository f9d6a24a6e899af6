// SPDX-License-Identifier: Apache-2.0

// The header is what plugins are compiled against. It may grow, on purpose; it never changes by
// accident, and the proxy offers every function that it declares.

#include "plugins/abi/host_imports.hpp"
#include "plugins/sha256.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <string>

namespace helios::plugins {
namespace {

std::string read_header(const std::string& name) {
  std::ifstream file(std::string(HELIOS_ABI_DIR) + "/" + name);
  return {std::istreambuf_iterator<char>(file), {}};
}

// One space for every run of white space, so that layout does not count.
std::string normalised(const std::string& text) {
  return std::regex_replace(text, std::regex("[\\s*]+"), " ");
}

TEST(AbiHeader, of_version_2_is_the_one_that_plugins_were_built_with) {
  EXPECT_EQ(sha256_hex(normalised(read_header("helios_abi2.h"))),
            "a9bbfa0ab8b4eb4a4ddb94a8ee1c3fdd0a8f284d0feafec159a20494836c439a")
      << "The header of ABI 2 has changed. Is every plugin that exists still right? Then the new "
         "digest "
         "goes here, and the change into CHANGELOG.md.";
}

TEST(AbiHeader, of_version_1_is_the_one_that_plugins_were_built_with) {
  EXPECT_EQ(sha256_hex(normalised(read_header("helios_abi1.h"))),
            "531ff10934bfef5ee891bcf2d734d271486941411caa0f9bee67622e7f37ca64");
}

TEST(AbiHeader, every_declared_import_is_offered) {
  for (const char* const header : {"helios_abi1.h", "helios_abi2.h"}) {
    const std::string text = read_header(header);
    const std::regex import(R"re(HELIOS_(?:ABI1_)?IMPORT\("(\w+)"\))re");
    std::size_t count = 0;
    for (std::sregex_iterator it(text.begin(), text.end(), import), end; it != end; ++it, ++count)
      EXPECT_NE(find_host_import("env", (*it)[1].str()), nullptr) << (*it)[1];
    EXPECT_GE(count, 5U) << header;
  }
}

}  // namespace
}  // namespace helios::plugins
