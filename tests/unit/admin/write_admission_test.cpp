// SPDX-License-Identifier: Apache-2.0

// Goal: a key is set only where its namespace is meant, and its plugin has nothing against the value. Method: the router on a
// store in memory, with a plugin that says what the test wants.

#include "admin/write_admission.hpp"

#include "admin/kv_operations.hpp"
#include "kv/memory_store.hpp"
#include "kv/transaction.hpp"
#include "unit/admin/router_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <utility>
#include <vector>

namespace helios::admin {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Kind = WriteOpinion::Kind;

class WriteAdmission : public ::testing::Test {
 protected:
  WriteAdmission() { store.open("cost-governor").value(); }

  // As people send it: without saying that they mean it.
  static Request plain(Method method, std::string target, std::string body = "x") {
    Request plain = request(method, std::move(target), std::move(body));
    plain.new_namespace.reset();
    return plain;
  }
  Response send(Method method, std::string target, std::string body = "x") {
    return admin.send(plain(method, std::move(target), std::move(body)));
  }
  Response force(std::string value) {
    Request forced = plain(Method::put, "/admin/kv/cost-governor/k", "forced");
    forced.force = std::move(value);
    return admin.send(std::move(forced));
  }

  Response add(const std::string& by) {
    return send(Method::post, "/admin/kv/cost-governor/n", "{\"increment\":" + by + "}");
  }
  static Request forced_add(const std::string& by) {
    Request forced = plain(Method::post, "/admin/kv/cost-governor/n", "{\"increment\":" + by + "}");
    forced.force = "true";
    return forced;
  }
  // As a hook of the plugin does, which waits for no request.
  void add_ten_beside() {
    kv::Transaction transaction(store, *store.find("cost-governor"));
    std::string_view value;
    std::optional<FoundValue> present;
    if (transaction.get("n", value) == kv::ReadStatus::value)
      present = FoundValue{std::string(value), 0};
    const std::string sum = counter_bytes(counter_sum(present, 10).value());
    ASSERT_EQ(transaction.set("n", sum, kv::kNeverExpires), kv::WriteStatus::ok);
    ASSERT_EQ(transaction.commit({}), kv::CommitStatus::done);
  }
  std::vector<std::string> judged_values() {
    std::vector<std::string> values;
    for (const KeyWrite& write : admin.control.judged) values.push_back(write.value);
    return values;
  }

  test::FakeClock clock;
  kv::MemoryStore store{kv::Limits{}, clock};
  RouterDriver admin{store};
};

TEST_F(WriteAdmission, value_is_judged_before_it_is_set) {
  EXPECT_EQ(send(Method::put, "/admin/kv/helios_plugin_cost_governor/a%20b", "value").status, 200);
  ASSERT_EQ(admin.control.judged.size(), 1U);
  EXPECT_EQ(admin.control.judged[0].space, "cost-governor");
  EXPECT_EQ(admin.control.judged[0].key, "a b");
  EXPECT_EQ(admin.control.judged[0].value, "value");
  EXPECT_EQ(admin.get("/admin/kv/cost-governor/a%20b").status, 200);
}

TEST_F(WriteAdmission, refusal_is_422_with_the_reason_and_changes_nothing) {
  send(Method::put, "/admin/kv/cost-governor/k", "old");
  admin.control.opinion = {Kind::refused, "cost-governor", "budget: no \"such\" field"};
  const Response response = send(Method::put, "/admin/kv/cost-governor/k", "new");
  EXPECT_EQ(response.status, 422);
  EXPECT_EQ(response.body, R"({"error":"the plugin \"cost-governor\" refuses this value: )"
                           R"(budget: no \"such\" field"})");
  EXPECT_THAT(admin.get("/admin/kv/cost-governor/k").body, HasSubstr(R"("value":"old")"));
}

TEST_F(WriteAdmission, plugin_that_cannot_answer_refuses_and_the_way_out_is_named) {
  admin.control.opinion = {Kind::failed, "cost-governor", "timeout after 100 ms"};
  const Response response = send(Method::put, "/admin/kv/cost-governor/k");
  EXPECT_EQ(response.status, 422);
  EXPECT_EQ(response.body,
            R"({"error":"the plugin \"cost-governor\" could not judge this value, so it is not )"
            R"(written (timeout after 100 ms); to write it all the same, send Helios-Force: true )"
            R"x((heliosproxy kv: --force)"})x");
  EXPECT_EQ(admin.get("/admin/kv/cost-governor/k").status, 404);
}

TEST_F(WriteAdmission, opinion_that_comes_later_counts_as_well) {
  admin.control.judges_later = true;
  EXPECT_EQ(send(Method::put, "/admin/kv/cost-governor/k").status, 200);
  admin.control.opinion = {Kind::refused, "cost-governor", "no"};
  EXPECT_EQ(send(Method::put, "/admin/kv/cost-governor/k2").status, 422);
  EXPECT_EQ(admin.get("/admin/kv/cost-governor/k2").status, 404);
}

TEST_F(WriteAdmission, conditions_are_looked_at_behind_the_opinion) {
  send(Method::put, "/admin/kv/cost-governor/k");
  Request create = plain(Method::put, "/admin/kv/cost-governor/k");
  create.if_none_match = "*";
  EXPECT_EQ(admin.send(create).status, 412);
  admin.control.opinion = {Kind::refused, "cost-governor", "no"};
  EXPECT_EQ(admin.send(create).status, 422);
}

TEST_F(WriteAdmission, forced_write_is_not_judged_but_noted) {
  admin.control.opinion = {Kind::refused, "cost-governor", "no"};
  EXPECT_EQ(force("true").status, 200);
  EXPECT_THAT(admin.control.judged, IsEmpty());
  EXPECT_THAT(admin.control.forced,
              ElementsAre(std::pair<std::string, std::string>("cost-governor", "k")));
  EXPECT_EQ(admin.log.count("PUT /admin/kv/cost-governor/k, 6 bytes, forced: 200"), 1U);
}

TEST_F(WriteAdmission, append_only_namespace_is_its_plugins_alone) {
  ASSERT_EQ(admin.send(request(Method::put, "/admin/kv/trail/k", "v")).status, 200);
  admin.control.append_only_space = "trail";
  Request forced = request(Method::put, "/admin/kv/trail/k", "w");
  forced.force = "true";
  for (Request& each :
       std::array{std::move(forced), request(Method::put, "/admin/kv/trail/new", "v"),
                  request(Method::post, "/admin/kv/trail/n", R"({"increment":1})"),
                  request(Method::del, "/admin/kv/trail/k"),
                  request(Method::del, "/admin/kv/trail/?prefix=")}) {
    const Response response = admin.send(std::move(each));
    EXPECT_EQ(response.status, 403);
    EXPECT_THAT(response.body, HasSubstr("nobody but the plugin its-plugin changes"));
  }
  EXPECT_THAT(admin.send(request(Method::get, "/admin/kv/trail/k")).body, HasSubstr("\"v\""));
  EXPECT_EQ(admin.send(request(Method::put, "/admin/kv/other/k", "v")).status, 200);
}

TEST_F(WriteAdmission, flags_say_true_or_nothing) {
  for (const char* const value : {"false", "1", "", "TRUE", "true, true"}) {
    EXPECT_EQ(force(value).body, R"({"error":"Helios-Force is \"true\", or left out"})") << value;
    Request made = plain(Method::put, "/admin/kv/new-one/k");
    made.new_namespace = value;
    EXPECT_EQ(admin.send(made).status, 400) << value;
  }
  EXPECT_THAT(admin.control.forced, IsEmpty());
}

TEST_F(WriteAdmission, deletes_and_what_only_asks_are_not_judged) {
  EXPECT_EQ(add("0").status, 200);
  EXPECT_EQ(send(Method::del, "/admin/kv/cost-governor/n").status, 200);
  EXPECT_EQ(send(Method::del, "/admin/kv/cost-governor/?prefix=").status, 200);
  EXPECT_THAT(admin.control.judged, IsEmpty());
}

TEST_F(WriteAdmission, increment_is_judged_by_what_the_counter_becomes) {
  EXPECT_EQ(add("5").body, R"({"ok":true,"value":5})");
  EXPECT_EQ(add("-2").body, R"({"ok":true,"value":3})");
  EXPECT_THAT(judged_values(), ElementsAre(counter_bytes(5), counter_bytes(3)));
  admin.control.opinion = {Kind::refused, "cost-governor", "no"};
  EXPECT_EQ(add("1").status, 422);
  EXPECT_EQ(add("0").body, R"({"ok":true,"value":3})");
}

TEST_F(WriteAdmission, increment_that_others_overtake_is_judged_again) {
  int others = 2;
  admin.control.meanwhile = [&] {
    if (others-- > 0) add_ten_beside();
  };
  EXPECT_EQ(add("1").body, R"({"ok":true,"value":21})");
  EXPECT_THAT(judged_values(), ElementsAre(counter_bytes(1), counter_bytes(11), counter_bytes(21)));
}

TEST_F(WriteAdmission, increment_that_others_always_overtake_comes_to_an_end) {
  admin.control.meanwhile = [&] { add_ten_beside(); };
  const Response response = add("1");
  EXPECT_EQ(response.status, 412);
  EXPECT_EQ(response.body, R"({"error":"the key has changed meanwhile"})");
  EXPECT_EQ(admin.control.judged.size(), 10U);
}

TEST_F(WriteAdmission, increment_that_is_forced_is_not_judged_but_noted) {
  admin.control.opinion = {Kind::refused, "cost-governor", "no"};
  EXPECT_EQ(admin.send(forced_add("1")).status, 200);
  EXPECT_THAT(admin.control.judged, IsEmpty());
  EXPECT_THAT(admin.control.forced,
              ElementsAre(std::pair<std::string, std::string>("cost-governor", "n")));
}

TEST_F(WriteAdmission, increment_that_cannot_be_made_is_not_judged) {
  send(Method::put, "/admin/kv/cost-governor/n", "text");
  admin.control.judged.clear();
  EXPECT_EQ(add("1").status, 409);
  Request create = plain(Method::post, "/admin/kv/cost-governor/n", R"({"increment":1})");
  create.if_none_match = "*";
  EXPECT_EQ(admin.send(create).status, 412);
  EXPECT_THAT(admin.control.judged, IsEmpty());
}

TEST_F(WriteAdmission, what_cannot_be_stored_is_not_judged) {
  EXPECT_EQ(send(Method::put, "/admin/kv/cost-governor/k",
                 std::string(kv::Limits{}.max_value_bytes + 1, 'x'))
                .status,
            413);
  EXPECT_THAT(admin.control.judged, IsEmpty());
}

TEST_F(WriteAdmission, mistyped_namespace_is_not_made) {
  const Response response = send(Method::put, "/admin/kv/cost-govenor/k");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(
      response.body,
      R"({"error":"there is no namespace \"cost-govenor\"; did you mean \"cost-governor\"? to )"
      R"x(make a new one, send Helios-New-Namespace: true (heliosproxy kv: --new)"})x");
  EXPECT_EQ(send(Method::post, "/admin/kv/cost-govenor/k", R"({"increment":1})").status, 404);
  EXPECT_EQ(store.namespaces().size(), 1U);
  EXPECT_THAT(admin.control.judged, IsEmpty());
}

TEST_F(WriteAdmission, new_namespace_is_made_where_that_is_meant) {
  EXPECT_THAT(
      send(Method::put, "/admin/kv/other/k").body,
      HasSubstr("there is no namespace \\\"other\\\", nor a loaded plugin of that name; to"));
  EXPECT_EQ(admin.put("/admin/kv/other/k", "x").status, 200);
  EXPECT_EQ(send(Method::put, "/admin/kv/other/k2").status, 200) << "it is there now";
}

TEST_F(WriteAdmission, names_that_a_token_does_not_cover_are_not_told) {
  store.open("cost-governed").value();
  Grant grant{.name = "one", .may_read = true, .may_write = true, .namespaces = {"cost-governed"}};
  EXPECT_THAT(no_such_namespace(store, grant, "cost-governer").body,
              AllOf(HasSubstr("cost-governed"), Not(HasSubstr("cost-governor"))));
}

TEST(NearNames, are_those_of_a_few_other_letters) {
  const std::vector<std::string> names = {"rate-limit", "rate-limits", "dedup",
                                          "ab",         "a",           "audit-chain"};
  EXPECT_THAT(near_names(names, "rate-limt"), ElementsAre("rate-limit", "rate-limits"));
  EXPECT_THAT(near_names(names, "dedupe"), ElementsAre("dedup"));
  EXPECT_THAT(near_names(names, "deudp"), ElementsAre("dedup"));
  EXPECT_THAT(near_names(names, "xy"), IsEmpty());
  EXPECT_THAT(near_names(names, "something-else"), IsEmpty());
  EXPECT_THAT(near_names({}, "x"), IsEmpty());
  std::vector<std::string> many;
  for (int n = 0; n < 2000; ++n) many.push_back("tenant-" + std::to_string(n));
  EXPECT_EQ(near_names(many, "tenant-1").size(), 5U);
  EXPECT_EQ(near_names(many, "tenant-1").front(), "tenant-1");
}

}  // namespace
}  // namespace helios::admin
