// SPDX-License-Identifier: Apache-2.0
//
// A state directory without a proxy: what is answered, what is changed, and what is refused.

#include "app/offline_state.hpp"

#include "kv/rocksdb/database.hpp"
#include "kv/rocksdb/stored_entry.hpp"
#include "unit/kv/rocksdb/disk_fixture.hpp"

#include <gmock/gmock.h>
#include <rocksdb/db.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>

#include <unistd.h>

namespace helios::app {
namespace {

using admin::Method;
using test::Content;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

class Offline : public test::DiskFixture {
 protected:
  Offline() { disk_.open(); }

  [[nodiscard]] const std::string& directory() const { return disk_.options.directory; }

  static std::string answer(OfflineState& state, Method method, std::string target,
                            std::string body = {}) {
    admin::Request request;
    request.method = method;
    request.target = std::move(target);
    request.accept = "application/octet-stream";
    request.body = std::move(body);
    request.new_namespace = "true";
    const admin::Response response = state.answer(std::move(request));
    return response.status == 200 ? response.body
                                  : std::to_string(response.status) + ' ' + response.body;
  }

  // Opens the directory for one request, and closes it again.
  std::string ask(Method method, std::string target, std::string body = {}) {
    options_.directory = directory();
    options_.read_only = method == Method::get;
    const auto state = OfflineState::open(options_);
    if (!state) return state.error().message;
    auto text = answer(**state, method, std::move(target), std::move(body));
    const auto closed = (*state)->close();
    EXPECT_TRUE(closed) << closed.error().message;
    return text;
  }

  // Every file with what is in it.
  std::map<std::string, std::string> files() {
    std::map<std::string, std::string> all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory())) {
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      all[entry.path()] = {std::istreambuf_iterator<char>(file), {}};
    }
    return all;
  }

  // Spoils what stands in the log behind `bytes` of it.
  void damage_log_behind(const std::string& bytes) {
    for (const auto& [path, content] : files()) {
      const auto at = content.find(bytes);
      if (!path.ends_with(".log") || at == std::string::npos) continue;
      std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
      file.seekp(static_cast<std::streamoff>(at + bytes.size() + 20));
      file.put('?');
    }
  }

  OfflineOptions options_;
};

TEST_F(Offline, what_a_proxy_kept_is_read) {
  put("a", "1");
  disk_.close();
  EXPECT_EQ(ask(Method::get, "/admin/kv/subject/a"), "1");
  EXPECT_THAT(ask(Method::get, "/admin/kv/subject/b"), HasSubstr("key not found"));
  EXPECT_THAT(ask(Method::get, "/admin/kv/subject/?values=true"),
              HasSubstr(R"("key":"a","value":"1")"));
  EXPECT_THAT(ask(Method::get, "/admin/state"),
              AllOf(HasSubstr(R"("healthy":true)"), HasSubstr(R"("plugin":"subject","keys":1)")));
  EXPECT_THAT(ask(Method::get, "/plugins"), HasSubstr("only a running proxy does this"));
}

TEST_F(Offline, what_is_changed_is_there_for_the_next_proxy) {
  put("a", "1");
  const kv::Version version = item("a").version;
  disk_.close();
  EXPECT_EQ(ask(Method::put, "/admin/kv/subject/b", "2"), R"({"ok":true})");
  EXPECT_EQ(ask(Method::post, "/admin/kv/other/n", R"({"increment":7})"),
            R"({"ok":true,"value":7})");
  EXPECT_EQ(ask(Method::del, "/admin/kv/subject/a"), R"({"ok":true})");
  disk_.open();
  EXPECT_EQ(content(), (Content{{"b", "2"}}));
  EXPECT_EQ(content("other").size(), 1U);
  EXPECT_GT(item("b").version, version);
}

TEST_F(Offline, streams_are_read_and_nothing_else) {
  for (const char* bytes : {"one", "two"}) {
    kv::Transaction transaction(store(), space());
    ASSERT_EQ(transaction.append("trail", bytes), kv::WriteStatus::ok);
    ASSERT_EQ(commit(transaction), kv::CommitStatus::done);
  }
  disk_.close();
  EXPECT_THAT(ask(Method::get, "/admin/streams/subject"),
              HasSubstr(R"([{"stream":"trail","first":1,"next":3,"bytes":198,)"));
  EXPECT_THAT(ask(Method::get, "/admin/streams/subject/trail?from=2"),
              HasSubstr(R"("value":"two"}],"next_from":3})"));
  EXPECT_THAT(ask(Method::get, "/admin/streams/subject/none"), HasSubstr("stream not found"));
  EXPECT_THAT(ask(Method::del, "/admin/streams/subject/trail"), HasSubstr("405"));
}

TEST_F(Offline, many_keys_are_removed_in_one_request) {
  for (int n = 0; n < 1200; ++n) put("k" + std::to_string(n), "x");
  disk_.close();
  EXPECT_EQ(ask(Method::del, "/admin/kv/subject/?prefix=k"), R"({"ok":true,"deleted":1200})");
  disk_.open();
  EXPECT_THAT(content(), IsEmpty());
}

TEST_F(Offline, reading_leaves_every_byte_where_it_is) {
  put("a", "1");
  disk_.wait_until(kv::Safety::handed_over);
  disk_.abandon();  // with a log that is not in a table yet, and a block of versions in use
  const auto before = files();
  EXPECT_EQ(ask(Method::get, "/admin/kv/subject/a"), "1");
  EXPECT_EQ(files(), before);
}

TEST_F(Offline, reader_refuses_changes) {
  disk_.close();
  options_.directory = directory();
  const auto state = OfflineState::open(options_);
  ASSERT_TRUE(state);
  EXPECT_THAT(answer(**state, Method::put, "/admin/kv/subject/a", "2"),
              AllOf(HasSubstr("503"), HasSubstr("read-only")));
}

TEST_F(Offline, quotas_count) {
  disk_.close();
  options_.limits.max_keys_per_namespace = 1;
  EXPECT_EQ(ask(Method::put, "/admin/kv/subject/a", "1"), R"({"ok":true})");
  EXPECT_THAT(ask(Method::put, "/admin/kv/subject/b", "2"), HasSubstr("507"));
}

TEST_F(Offline, directory_in_use_is_refused_by_readers_and_writers) {
  EXPECT_THAT(ask(Method::get, "/admin/kv/subject/a"), HasSubstr("is in use by"));
  EXPECT_THAT(ask(Method::put, "/admin/kv/subject/a"), HasSubstr("is in use by"));
  put("a", "1");
  disk_.close();
  EXPECT_EQ(ask(Method::get, "/admin/kv/subject/a"), "1");
}

TEST_F(Offline, what_is_no_state_directory_is_refused_and_left_alone) {
  disk_.close();
  const test::TemporaryFolder folder;
  for (const Method method : {Method::get, Method::put}) {
    disk_.options.directory = folder.path();
    EXPECT_EQ(ask(method, "/admin/kv/subject/a"),
              folder.path() + " is not a state directory: there is no kv/CURRENT in it");
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
    disk_.options.directory = folder.path() + "/none";
    EXPECT_EQ(ask(method, "/admin/kv/subject/a"),
              "state directory " + folder.path() + "/none does not exist");
  }
}

TEST_F(Offline, root_changes_nothing_that_is_somebody_elses) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, who may open what belongs to others";
  put("a", "1");
  disk_.close();
  ASSERT_EQ(::chown(directory().c_str(), 4711, 4712), 0);
  const auto before = files();
  EXPECT_THAT(ask(Method::put, "/admin/kv/subject/a", "2"),
              AllOf(HasSubstr("belongs to user 4711"), HasSubstr("--reuid 4711 --regid 4712")));
  EXPECT_EQ(ask(Method::get, "/admin/kv/subject/a"), "1");
  EXPECT_EQ(files(), before);
}

TEST_F(Offline, newer_format_is_refused_and_left_alone) {
  disk_.close();
  kv::rocksdb::DatabaseOptions wanted;
  wanted.directory = directory();
  auto database = kv::rocksdb::Database::open(wanted, [](auto) {});
  ASSERT_TRUE(database);
  const kv::rocksdb::Number three = kv::rocksdb::to_bytes(3);
  ::rocksdb::WriteBatch batch;
  ASSERT_TRUE(batch.Put(std::string(kv::rocksdb::kFormatKey), {three.data(), three.size()}).ok());
  ASSERT_TRUE((*database)->write(batch).ok());
  database->reset();
  const auto before = files();
  EXPECT_THAT(ask(Method::get, "/admin/kv/subject/a"), HasSubstr("has format 3"));
  EXPECT_EQ(files(), before);
  EXPECT_THAT(ask(Method::put, "/admin/kv/subject/a"), HasSubstr("has format 3"));
}

TEST_F(Offline, damaged_directory_is_read_up_to_the_damage_and_stays_as_it_is) {
  put("a", "first value");
  disk_.wait_until(kv::Safety::handed_over);
  put("b", "second value");
  disk_.wait_until(kv::Safety::handed_over);
  disk_.abandon();
  damage_log_behind("first value");
  const auto before = files();
  EXPECT_THAT(ask(Method::get, "/admin/kv/subject/a"),
              AllOf(HasSubstr("is damaged"), HasSubstr("--state " + directory() + " --salvage")));
  options_.salvage = true;
  EXPECT_EQ(ask(Method::get, "/admin/kv/subject/a"), "first value");
  EXPECT_THAT(ask(Method::get, "/admin/kv/subject/b"), HasSubstr("key not found"));
  EXPECT_EQ(files(), before);
}

}  // namespace
}  // namespace helios::app
