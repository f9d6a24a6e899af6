// SPDX-License-Identifier: Apache-2.0
// docs/openapi.yaml describes the routes that there are, with the methods that they have. Paths and
// methods are read off the lines; that the file is valid as a whole is for `tools/dev check-api`.

#include "admin/openapi.hpp"

#include "admin/routes.hpp"
#include "base/text.hpp"
#include "kv/memory_store.hpp"
#include "unit/admin/router_fixture.hpp"

#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>

namespace helios::admin {
namespace {

using Methods = std::set<std::string>;

std::map<std::string, Methods> described_routes() {
  static const std::regex kPath(R"(^  (/\S*):$)");
  static const std::regex kMethod("^    (get|head|put|post|delete|patch|options|trace):$");
  std::map<std::string, Methods> result;
  std::istringstream text{std::string(openapi_text())};
  std::string path;
  for (std::string line; std::getline(text, line) && line != "components:";) {
    std::smatch match;
    if (std::regex_match(line, match, kPath)) path = match[1];
    if (std::regex_match(line, match, kMethod)) result[path].insert(match[1]);
  }
  return result;
}

// Of an Allow header, as the description has them: HEAD goes without saying.
Methods methods_of(std::string_view allow) {
  Methods result;
  std::istringstream words{base::to_lower(allow)};
  for (std::string word; words >> word;) {
    if (word.ends_with(',')) word.pop_back();
    if (word != "head") result.insert(word);
  }
  return result;
}

TEST(OpenApi, every_route_is_described_and_nothing_else) {
  std::map<std::string, Methods> real;
  for (const Route& route : routes()) real[std::string(route.path)] = methods_of(route.methods);
  EXPECT_EQ(described_routes(), real);
}

TEST(OpenApi, open_routes_are_described_as_open) {
  const std::string text(openapi_text());
  for (const Route& route : routes()) {
    const auto begin = text.find("\n  " + std::string(route.path) + ":\n");
    ASSERT_NE(begin, std::string::npos) << route.path;
    const auto end = text.find("\n\n", begin);
    const bool is_open = text.substr(begin, end - begin).contains("security: []");
    EXPECT_EQ(is_open, route.need == Need::nothing) << route.path;
  }
}

TEST(OpenApi, version_is_that_of_the_program) {
  EXPECT_TRUE(openapi_text().contains("\n  version: " HELIOS_VERSION "\n"));
}

TEST(OpenApi, description_is_served) {
  test::FakeClock clock;
  kv::MemoryStore store{kv::Limits{}, clock};
  RouterDriver admin{store};
  const Response response = admin.get("/openapi.yaml");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "application/yaml");
  EXPECT_EQ(response.body, openapi_text());
}

}  // namespace
}  // namespace helios::admin
