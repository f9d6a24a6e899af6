// SPDX-License-Identifier: Apache-2.0
// /admin/kv on stores that do not answer at once, refuse, or break: the answer comes later, once.

#include "kv/memory_store.hpp"
#include "support/pending_store.hpp"
#include "unit/admin/router_fixture.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <utility>

namespace helios::admin {
namespace {

class KvPendingTest : public ::testing::Test {
 protected:
  test::FakeClock clock;
  test::ManualExecutor elsewhere;  // where the store does its work
  test::PendingStore store{kv::Limits{}, clock, elsewhere};
  RouterDriver admin{store};

  // Lets everything that is under way end.
  void settle() {
    while (elsewhere.run_all() + admin.home->run_all() > 0) {
    }
  }

  Response finish(const std::shared_ptr<Exchange>& exchange) {
    EXPECT_EQ(exchange->answers, 0) << "answered before the store did";
    settle();
    EXPECT_EQ(exchange->answers, 1);
    return exchange->response.value_or(Response());
  }

  std::shared_ptr<Exchange> start(Method method, std::string target, std::string body = {}) {
    return admin.start(request(method, std::move(target), std::move(body)));
  }
};

TEST_F(KvPendingTest, put_answers_when_the_commit_does) {
  const auto put = start(Method::put, "/admin/kv/p/key", "value");
  EXPECT_EQ(finish(put).body, R"({"ok":true})");
  EXPECT_EQ(store.counts().pending_commits, 1U);
}

TEST_F(KvPendingTest, answer_comes_on_the_home_executor) {
  const auto put = start(Method::put, "/admin/kv/p/key", "value");
  elsewhere.run_all();
  EXPECT_EQ(put->answers, 0);
  admin.home->run_all();
  EXPECT_EQ(put->answers, 1);
}

TEST_F(KvPendingTest, get_fetches_what_is_not_resident) {
  finish(start(Method::put, "/admin/kv/p/key", "value"));
  const auto get = start(Method::get, "/admin/kv/p/key");
  EXPECT_EQ(finish(get).body, R"({"plugin":"p","key":"key","value":"value"})");
  EXPECT_EQ(store.counts().fetches, 1U);
  EXPECT_EQ(finish(start(Method::get, "/admin/kv/p/none")).status, 404);
}

TEST_F(KvPendingTest, delete_answers_when_the_commit_does) {
  finish(start(Method::put, "/admin/kv/p/key", "value"));
  EXPECT_EQ(finish(start(Method::del, "/admin/kv/p/key")).status, 200);
  EXPECT_EQ(finish(start(Method::get, "/admin/kv/p/key")).status, 404);
}

TEST_F(KvPendingTest, conflict_is_tried_again) {
  store.fail_commits(3, kv::CommitStatus::conflict);
  EXPECT_EQ(finish(start(Method::put, "/admin/kv/p/key", "value")).status, 200);
  EXPECT_EQ(store.counts().pending_commits, 4U);
}

TEST_F(KvPendingTest, endless_conflict_ends_in_503) {
  store.fail_commits(1'000'000, kv::CommitStatus::conflict);
  const Response put = finish(start(Method::put, "/admin/kv/p/key", "value"));
  EXPECT_EQ(put.status, 503);
  EXPECT_EQ(put.body, R"({"error":"the key changes too fast: try again"})");
}

TEST_F(KvPendingTest, quota_used_up_meanwhile_is_507) {
  store.fail_commits(1, kv::CommitStatus::full);
  EXPECT_EQ(finish(start(Method::put, "/admin/kv/p/key", "value")).status, 507);
}

TEST_F(KvPendingTest, broken_store_is_503) {
  store.fail_commits(1, kv::CommitStatus::failed);
  EXPECT_EQ(finish(start(Method::put, "/admin/kv/p/key", "value")).status, 503);
}

TEST_F(KvPendingTest, requests_under_way_do_not_wait_for_each_other) {
  const auto first = start(Method::put, "/admin/kv/p/a", "1");
  const auto second = start(Method::put, "/admin/kv/p/b", "2");
  EXPECT_EQ(admin.get("/healthz").status, 200);
  settle();
  EXPECT_EQ(first->answers, 1);
  EXPECT_EQ(second->answers, 1);
}

TEST(KvExclusivity, put_waits_until_exclusivity_is_given_back) {
  test::FakeClock clock;
  kv::MemoryStore store(kv::Limits{}, clock);
  RouterDriver admin(store);
  kv::Namespace* space = store.open("p").value();
  std::unique_ptr<kv::Exclusivity> held;
  store.request_exclusive(
      *space, [&](std::unique_ptr<kv::Exclusivity> granted) { held = std::move(granted); });
  ASSERT_TRUE(held);

  const auto put = admin.start(request(Method::put, "/admin/kv/p/key", "value"));
  admin.home->run_all();
  EXPECT_EQ(put->answers, 0);
  EXPECT_EQ(admin.get("/admin/kv/p/key").status, 404);

  held.reset();
  admin.home->run_all();
  ASSERT_EQ(put->answers, 1);
  EXPECT_EQ(put->response->status, 200);
  EXPECT_EQ(admin.get("/admin/kv/p/key").status, 200);
}

}  // namespace
}  // namespace helios::admin
