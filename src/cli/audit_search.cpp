// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_search.hpp"

#include "admin/stream_page.hpp"
#include "cli/audit_trail.hpp"
#include "cli/statement_joiner.hpp"
#include "cli/stream_pages.hpp"
#include "cli/trail_span.hpp"

#include <optional>
#include <ostream>
#include <string>
#include <utility>

namespace helios::cli {
namespace {

constexpr std::int64_t kPollMs = 1000;
// Behind --until, for the ends of statements that began before: a second of reading, and more than any transaction needs.
constexpr std::uint64_t kMostBehind = 100'000;

base::Result<void> failed(std::string message) {
  return base::fail(base::Errc::invalid, std::move(message));
}

class Search {
 public:
  Search(const AuditOptions& options, const AuditPorts& ports, const TrailSpan& span)
      : options_(options),
        ports_(ports),
        span_(span),
        pages_({.plugin = options.plugin,
                .stream = std::string(kTrailStream),
                .since_ms = span.since_ms},
               ports.state.read_page),
        writer_(make_writer(options.format)),
        joiner_(options.filter, [this](const boost::json::object& fields) {
          if (is_enough()) return base::Result<void>();
          writer_->write(fields, ports_.console.out);
          ++count_;
          return ports_.console.out ? base::Result<void>() : failed("cannot write the output");
        }) {}

  base::Result<void> run() {
    if (!options_.records) writer_->begin(ports_.console.out);
    while (!is_over_) {
      if (auto read = read_page(); !read) return read;
      if (is_over_ || !pages_.is_complete()) continue;
      is_over_ = !options_.follow;
      if (options_.follow) {
        if (auto waited = wait(); !waited) return waited;
      }
    }
    if (auto finished = joiner_.finish(); !finished) return finished;
    if (!options_.records) writer_->end(ports_.console.out);
    print_notes();
    return {};
  }

 private:
  [[nodiscard]] bool is_enough() const { return options_.limit != 0 && count_ >= options_.limit; }

  base::Result<void> read_page() {
    auto answer = pages_.next();
    if (!answer && answer.error().code == base::Errc::not_found)
      return base::fail(base::Errc::not_found,
                        options_.plugin + " has no trail here: " + answer.error().message +
                            " (is the plugin loaded, and did a statement run?)");
    if (!answer) return std::unexpected(answer.error());
    for (kv::StreamRecord& record : answer->page.records) {
      if (auto used = use(std::move(record)); !used) return used;
      if (is_over_) break;
    }
    return {};
  }

  base::Result<void> use(kv::StreamRecord record) {
    const bool is_behind = span_.ends_before(record);
    if (is_behind && (options_.records || !joiner_.has_open() || ++behind_ > kMostBehind)) {
      is_over_ = true;
      return {};
    }
    if (options_.records) {
      ports_.console.out << admin::record_line(record) << '\n';
      return ports_.console.out ? base::Result<void>() : failed("cannot write the output");
    }
    auto added = joiner_.add(std::move(record), !is_behind);
    is_over_ = is_enough();
    return added;
  }

  base::Result<void> wait() {
    if (auto released = joiner_.release(); !released) return released;
    is_over_ = is_enough();
    // Nobody may be reading any more.
    if (!ports_.console.out.flush()) return failed("cannot write the output");
    if (!is_over_) ports_.console.pause(kPollMs);
    return {};
  }

  void print_notes() const {
    if (joiner_.given_up() != 0)
      ports_.notes
          << "heliosproxy: " << joiner_.given_up()
          << " statements stand there as far as they were known: too many were open at a time\n";
    if (joiner_.strange() != 0)
      ports_.notes << "heliosproxy: " << joiner_.strange()
                   << " records were passed over that audit-chain did not write so: see "
                      "`heliosproxy audit verify`\n";
    if (behind_ > kMostBehind)
      ports_.notes << "heliosproxy: the end of some statements was not found in the " << kMostBehind
                   << " records behind --until\n";
  }

  const AuditOptions& options_;
  const AuditPorts& ports_;
  const TrailSpan span_;
  StreamPages pages_;
  const std::unique_ptr<StatementWriter> writer_;
  StatementJoiner joiner_;
  std::uint64_t count_ = 0;   // statements printed
  std::uint64_t behind_ = 0;  // records read behind the span
  bool is_over_ = false;
};

}  // namespace

base::Result<void> search_audit(const AuditOptions& options, const AuditPorts& ports) {
  if (options.follow && !options.admin.state.empty())
    return failed("follow needs a running proxy: nobody appends to a directory meanwhile");
  if (options.records && options.format == StatementFormat::sql)
    return failed("--records goes with --format jsonl: the table has statements");
  if (options.records && options.filter != StatementFilter())
    return failed("--records prints all records: filters are for statements");
  const auto span = span_of(options, ports.now_ms);
  if (!span) return std::unexpected(span.error());
  return Search(options, ports, *span).run();
}

}  // namespace helios::cli
