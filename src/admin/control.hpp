// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the admin interface may know about the process and ask of it. Implemented by the composition
// root, by a fake in tests.

#include "admin/refusals.hpp"
#include "base/executor.hpp"
#include "base/result.hpp"
#include "blocks/block.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helios::admin {

// One plugin as GET /plugins shows it. Texts may hold any bytes.
struct PluginStatus {
  std::string name;             // as its manifest or file says
  std::string namespace_name;   // whose keys it owns
  std::string version;          // empty: the manifest names none
  std::string sha256;           // of the module's file that runs, in hex; empty when failed
  std::string manifest_sha256;  // of its manifest; of no bytes where there is none
  std::string file;
  std::uint32_t abi = 0;           // of the version that runs: 1 or 2; 0 when failed
  std::vector<std::string> hooks;  // those that are called
  std::string state = "loaded";    // "loaded", or "failed" when an optional one could not be loaded
  std::int32_t order = 0;
  std::string on_error = "deny";  // "deny" or "allow"
  std::string durability;         // "memory", "relaxed", "strict"; empty when failed
  // Since the process started; a reload does not reset them.
  std::uint64_t calls = 0;
  std::uint64_t failures = 0;        // calls that ended in a trap, a timeout, a bad answer, ...
  std::uint64_t refusals = 0;        // statements blocked
  std::uint64_t retries = 0;         // attempts run again because of a conflict
  std::uint64_t overruns = 0;        // attempts that outlived their slice on a worker
  std::uint64_t exclusive_runs = 0;  // calls that had to run alone in their namespace
  std::uint64_t backed_off = 0;      // calls not made, because the caller's last had all faulted
  bool is_slow = false;              // calls go straight to the slow lane
  std::uint64_t backing_off_callers = 0;  // for whom the plugin is not run at present
  std::int64_t backing_off_left_ms = 0;   // until the last of them is tried again
  std::vector<std::pair<std::string, std::uint64_t>> metrics;  // what it counts itself (metric_add)
  std::vector<std::string> warnings;  // about this version, e.g. an export that is never called
  std::string last_error;             // empty: none so far
};

// What a reload did to one plugin.
struct PluginChange {
  std::string_view kind;  // "added", "removed", "changed", "kept"; static storage
  std::string name;
  std::string version;  // that runs now; removed: that ran
  std::string sha256;
  std::string old_version;  // changed
  std::string old_sha256;   // changed
};

// What a reload has done.
struct ReloadReport {
  std::vector<PluginChange> changes;  // by name
  // One line each, about what stays as it was: a plugin that could not be loaded. Empty: all is in force.
  std::vector<std::string> errors;
};

// Called once with the result, on any thread.
using OnReloaded = std::move_only_function<void(base::Result<ReloadReport>)>;

// One of [[identity.rules]], or of [[tenant.rules]], as it is configured.
struct IdentityRuleStatus {
  std::string user;
  std::string database;
  std::string client;
  std::string os_user;                                        // empty: whoever
  std::vector<std::pair<std::string, std::string>> settings;  // that it sets, by name
  bool is_pinned = false;
  bool is_tenant_rule = false;
  std::uint64_t matches = 0;  // sessions that it was the first to fit, since it is in force
};

// A block that somebody wants; blocks::check() says whether it can be one.
struct BlockRequest {
  blocks::Kind kind = blocks::Kind::user;
  std::string name;
  std::string reason;
  std::optional<std::int64_t> for_ms;  // nullopt: until it is taken away
};

// What a block, or the end of one, has led to.
struct BlockOutcome {
  std::uint64_t sessions_ended = 0;
  bool is_kept = false;  // on disk; otherwise it holds until the process ends
  std::string warning;   // one line, where it should be on disk and is not
};
using OnBlocked = std::move_only_function<void(base::Result<BlockOutcome>)>;

// A key that somebody wants to set.
struct KeyWrite {
  std::string space;  // the namespace
  std::string key;
  std::string value;
};

// What the plugin whose namespace it is says to that.
struct WriteOpinion {
  enum class Kind {
    allowed,  // also where no plugin is asked
    refused,
    failed,  // the plugin could not answer: nobody can say, so nothing is to be written
  };
  Kind kind = Kind::allowed;
  std::string plugin;
  std::string reason;  // not allowed: one text of up to some thousand bytes
};
using OnJudged = std::move_only_function<void(WriteOpinion)>;

// A request that changes something, about to be carried out. Views live as long as the call that they are passed to.
struct AdminAction {
  std::string_view method;  // "PUT", "POST", "DELETE"
  std::string_view target;  // as on the request line
  std::string_view token;   // by whose name; empty: none was needed
  std::string_view client;  // "127.0.0.1:4711"
  std::string_view body;
  bool is_forced = false;
  std::string_view ttl_ms = {};  // the header Helios-TTL-Ms as it came; empty: none
};
// Called with nothing where it may be carried out, else with the reason why not.
using OnTold = std::move_only_function<void(std::string)>;

// Whether the PostgreSQL server can be reached, as the last attempt to connect a client to it has told.
struct ServerStatus {
  std::string_view state = "unknown";  // "up", "down", "unknown": no attempt yet; static storage
  std::int64_t seconds_ago = 0;        // since that attempt ended
  std::string reason;                  // down: one line, e.g. "Connection refused"
};

// Called once with the folder of the copy, on any thread.
using OnBackedUp = std::move_only_function<void(base::Result<std::string>)>;

// Thread rule: called on the admin thread only. Nothing here may block for long: that thread serves
// the health checks as well.
class Control {
 public:
  virtual ~Control() = default;

  // In the order in which they run.
  [[nodiscard]] virtual std::vector<PluginStatus> plugins() = 0;

  // Reads the configuration and the plugin folder again and puts what is new into force all at once, elsewhere than
  // on the calling thread. Errors: invalid, limit_exceeded, not_found (the configuration is wrong, or demands what the
  // folder has not: nothing changed); unavailable (not possible now, e.g. another reload is under way).
  virtual void reload_plugins(OnReloaded done) = 0;

  // In the order of the configuration that is in force.
  [[nodiscard]] virtual std::vector<IdentityRuleStatus> identity_rules() = 0;

  [[nodiscard]] virtual RefusalPage refusals(const RefusalQuery& query) = 0;

  // Those in force, by kind and name.
  [[nodiscard]] virtual std::vector<blocks::Block> blocks() = 0;
  // Blocks somebody, or changes reason and time of his block, and ends his sessions. Answers when they have ended, and
  // when it is on disk, once, on any thread. Errors: those of blocks::BlockList::put(); unavailable (not serving).
  virtual void block(BlockRequest request, OnBlocked done) = 0;
  // Errors: not_found, unavailable.
  virtual void unblock(blocks::Kind kind, std::string name, OnBlocked done) = 0;

  // Tells plugins, elsewhere than on the calling thread; at once where none wants to know. Calls `done` once, on `home`, which
  // is this thread's.
  virtual void tell_action(const AdminAction& action, std::shared_ptr<base::Executor> home,
                           OnTold done) = 0;

  // The plugin whose namespace it is, where nobody but that may change it; empty: there is none such.
  [[nodiscard]] virtual std::string sole_writer_of(std::string_view space) = 0;
  // Asks the plugin, elsewhere than on the calling thread; at once where there is none to ask. Calls `done` once, on `home`,
  // which is this thread's.
  virtual void judge_write(KeyWrite write, std::shared_ptr<base::Executor> home, OnJudged done) = 0;
  // That key is set without asking, because somebody wants it so.
  virtual void note_forced_write(std::string_view space, std::string_view key) = 0;

  // Copies the state on disk into a new folder of that name, elsewhere than on the calling thread.
  // Requires: `name` can be the name of a folder. Errors: invalid (no folder for copies is configured, there
  // is one of that name already, or nothing is kept on disk), unavailable.
  virtual void back_up(std::string name, OnBackedUp done) = 0;

  // Where work runs that may wait for a disk, one piece after the other. What still waits when the process ends
  // does not run.
  [[nodiscard]] virtual base::Executor& reader() = 0;

  // Whether the proxy takes connections and its plugins and store work. Errors: the reason.
  [[nodiscard]] virtual base::Result<void> ready() = 0;

  [[nodiscard]] virtual ServerStatus server() = 0;

  // What will stand in its way soon if nobody acts: one line each, for people.
  [[nodiscard]] virtual std::vector<std::string> warnings() = 0;

  [[nodiscard]] virtual std::string version() = 0;  // "0.4.0"
  // What the event loops work with: "io_uring" or "epoll".
  [[nodiscard]] virtual std::string engine() = 0;

  // The numbers of the process in the Prometheus text format 0.0.4.
  [[nodiscard]] virtual std::string metrics_text() = 0;
};

}  // namespace helios::admin
