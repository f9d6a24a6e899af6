// SPDX-License-Identifier: Apache-2.0

#include "app/metrics_sources.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace helios::app {
namespace {

using metrics::counter_family;
using metrics::Family;
using metrics::gauge_family;
using metrics::Kind;
using metrics::Labels;

double to_number(std::uint64_t value) { return static_cast<double>(value); }

void add_traffic(const net::WorkerStats& stats, std::vector<Family>& out) {
  const auto add = [&](const char* from, const char* to, const metrics::Counter& counter) {
    out.push_back(counter_family("helios_bytes_total", "Bytes of clients and servers",
                                 counter.value(), {{"peer", from}, {"direction", to}}));
  };
  add("client", "in", stats.bytes_from_clients);
  add("client", "out", stats.bytes_to_clients);
  add("server", "in", stats.bytes_from_servers);
  add("server", "out", stats.bytes_to_servers);
}

void add_texts(const net::WorkerStats& stats, std::vector<Family>& out) {
  const auto add = [&](const char* how, const metrics::Counter& counter) {
    out.push_back(counter_family("helios_query_texts_total", "Query texts by how they were read",
                                 counter.value(), {{"read", how}}));
  };
  add("prefiltered", stats.texts_prefiltered);
  add("cached", stats.texts_cached);
  add("parsed", stats.texts_parsed);
}

void add_sessions(const net::WorkerStats& stats, std::vector<Family>& out) {
  // Closed first: a session that ends in between must not make the difference negative.
  const auto closed = stats.sessions_closed.value();
  const auto opened = stats.sessions_opened.value();
  out.push_back(gauge_family("helios_sessions", "Client connections there are now",
                             to_number(opened - closed)));
  out.push_back(counter_family("helios_sessions_total", "Client connections accepted", opened));
}

// How late a worker may come round to a session: the time that one round of its loop was busy.
void add_rounds(const net::WorkerStats& stats, std::size_t index, std::vector<Family>& out) {
  out.push_back(metrics::histogram_family(
      "helios_worker_round_seconds", "Loop lag: work per round of a worker's event loop",
      stats.round_seconds.snapshot(), {{"worker", std::to_string(index)}}));
}

// Of all workers together.
void add_timings(const session::Timings& timings, std::vector<Family>& out) {
  out.push_back(metrics::histogram_family(
      "helios_statement_seconds", "What the server spent on statements that plugins looked at",
      timings.statements.snapshot()));
  out.push_back(metrics::histogram_family(
      "helios_pre_query_seconds",
      "From the first pre_query of a message's statements until it was forwarded",
      timings.pre_query.snapshot()));
  for (const auto& [reason, waits] : {std::pair("answers", &timings.waits_for_answers),
                                      std::pair("work", &timings.waits_for_work),
                                      std::pair("post_query", &timings.waits_for_post_query)}) {
    out.push_back(metrics::histogram_family("helios_wait_seconds",
                                            "What had to wait in the proxy, and for how long",
                                            waits->snapshot(), {{"waits_for", reason}}));
  }
}

void add_logins(const net::WorkerStats& stats, std::vector<Family>& out) {
  out.push_back(counter_family(
      "helios_failed_logins_total",
      "Logins that failed: by password, certificate, OS user, rule, plugin, or at the server",
      stats.failed_logins.value()));
  out.push_back(counter_family("helios_slowed_logins_total",
                               "Logins that had to wait because others before them had failed",
                               stats.slowed_logins.value()));
  out.push_back(counter_family("helios_refused_logins_total",
                               "Logins refused because too many were under way, or waited",
                               stats.refused_logins.value()));
  out.push_back(counter_family("helios_bad_proxy_headers_total",
                               "Connections ended because of a wrong PROXY header",
                               stats.bad_proxy_headers.value()));
}

void add_work(const net::WorkerStats& stats, std::vector<Family>& out) {
  out.push_back(counter_family("helios_queries_total", "Query messages that plugins looked at",
                               stats.queries.value()));
  out.push_back(counter_family("helios_statements_total", "Statements that plugins looked at",
                               stats.statements.value()));
  out.push_back(counter_family("helios_refused_total", "Messages refused, by plugins or the proxy",
                               stats.refused.value()));
  out.push_back(counter_family("helios_protocol_errors_total",
                               "Sessions ended because of malformed messages",
                               stats.protocol_errors.value()));
  out.push_back(counter_family("helios_cancel_requests_total", "Cancel requests received",
                               stats.cancel_requests.value()));
  out.push_back(counter_family("helios_tls_handshakes_total", "TLS handshakes with clients, done",
                               stats.tls_handshakes.value()));
  out.push_back(counter_family("helios_tls_failures_total",
                               "TLS connections with clients that failed, most in their handshake",
                               stats.tls_failures.value()));
  out.push_back(counter_family("helios_server_connect_failures_total",
                               "Connections to the server that could not be made",
                               stats.server_connect_failures.value()));
  out.push_back(counter_family("helios_out_of_memory_total",
                               "Sessions ended, and queries refused, at a memory limit",
                               stats.out_of_memory.value()));
  out.push_back(counter_family("helios_session_faults_total",
                               "Sessions ended by an unexpected exception",
                               stats.session_faults.value()));
  for (const blocks::Kind kind : blocks::kKinds) {
    out.push_back(
        counter_family("helios_blocked_total",
                       "Logins and statements refused, and sessions ended, because of a block",
                       stats.blocked[static_cast<std::size_t>(kind)].value(),
                       {{"kind", std::string(blocks::to_word(kind))}}));
  }
}

// No sample where nobody knows: an alarm for 0 has nothing to say then.
void add_server(const net::ServerHealth& health, const base::Clock& clock,
                std::vector<Family>& out) {
  Family up{
      "helios_server_up",
      "1 after a connection to the server, 0 after a failure to make one; none before the first",
      Kind::gauge,
      {}};
  Family age{"helios_server_last_attempt_seconds",
             "How long ago that was, so how old helios_server_up is",
             Kind::gauge,
             {}};
  const auto reading = health.read();
  if (reading.state != net::ServerHealth::State::unknown) {
    const Labels labels = {{"server", health.server()}};
    const auto age_ns = std::max<std::int64_t>(clock.monotonic_ns() - reading.last_attempt_ns, 0);
    const bool is_up = reading.state == net::ServerHealth::State::up;
    up.samples.push_back({labels, is_up ? 1.0 : 0.0, {}});
    age.samples.push_back({labels, static_cast<double>(age_ns) * 1e-9, {}});
  }
  out.push_back(std::move(up));
  out.push_back(std::move(age));
}

// One family with one sample per plugin.
class PluginFamily {
 public:
  PluginFamily(std::string name, std::string help, Kind kind = Kind::counter)
      : family_{std::move(name), std::move(help), kind, {}} {}

  void add(const std::string& plugin, std::uint64_t value) {
    family_.samples.push_back({{{"plugin", plugin}}, to_number(value), {}});
  }
  [[nodiscard]] Family take() { return std::move(family_); }

 private:
  Family family_;
};

// Calls that were never run again are all the others: counting them would cost every call.
metrics::HistogramSnapshot retry_histogram(const plugins::PluginInfo& plugin) {
  metrics::HistogramSnapshot histogram{.bounds = {0, 1, 2, 3}, .counts = {0}, .sum = 0};
  std::uint64_t retried = 0;
  for (const std::uint64_t calls : plugin.retried_calls) {
    histogram.counts.push_back(calls);
    retried += calls;
  }
  histogram.counts.front() = plugin.calls > retried ? plugin.calls - retried : 0;
  histogram.sum = to_number(plugin.retries);
  return histogram;
}

}  // namespace

metrics::Source worker_metrics(const net::WorkerStats& stats, std::size_t index) {
  return [&stats, index](std::vector<Family>& out) {
    add_sessions(stats, out);
    add_traffic(stats, out);
    add_logins(stats, out);
    add_work(stats, out);
    add_texts(stats, out);
    add_timings(stats.timings, out);
    add_rounds(stats, index, out);
  };
}

metrics::Source proxy_metrics(const net::Proxy& proxy, const base::Clock& clock) {
  return [&proxy, &clock](std::vector<Family>& out) {
    if (const auto health = proxy.server_health()) add_server(*health, clock, out);
    out.push_back(counter_family("helios_accept_pauses_total",
                                 "Rests of accepting for lack of descriptors or memory",
                                 proxy.accept_pauses().value()));
    out.push_back(gauge_family("helios_session_memory_bytes", "What all sessions together hold",
                               to_number(proxy.memory().total_bytes())));
  };
}

metrics::Source login_metrics(const net::ConnectionLimits& limits) {
  return [&limits](std::vector<Family>& out) {
    out.push_back(gauge_family("helios_logins_under_way",
                               "Clients between connecting and the end of their login",
                               limits.logins_under_way()));
  };
}

metrics::Source plugin_metrics(const plugins::PluginHost& host) {
  return [&host](std::vector<Family>& out) {
    PluginFamily calls("helios_plugin_calls_total", "Hook calls");
    PluginFamily failures("helios_plugin_failures_total", "Hook calls that failed");
    PluginFamily refusals("helios_plugin_refusals_total", "Statements blocked");
    PluginFamily retries("helios_plugin_retries_total",
                         "Attempts run again because the state had changed");
    PluginFamily overruns("helios_plugin_overruns_total",
                          "Attempts that outlived their slice on a worker");
    PluginFamily exclusive("helios_plugin_exclusive_total",
                           "Calls that had their namespace to themselves");
    PluginFamily refused_writes("helios_plugin_refused_writes_total",
                                "Writes that a quota refused");
    PluginFamily backed_off("helios_plugin_backed_off_total",
                            "Calls not made because the caller's last ones had all faulted");
    PluginFamily slow("helios_plugin_slow", "1 while calls go straight to the slow lane",
                      Kind::gauge);
    PluginFamily backing_off("helios_plugin_backing_off_callers",
                             "Callers for whom the plugin is not run at present", Kind::gauge);
    Family attempts{"helios_plugin_call_retries",
                    "Hook calls by how often they had to be run again",
                    Kind::histogram,
                    {}};
    Family versions{
        "helios_plugin_info", "1 for each plugin, with what runs of it", Kind::gauge, {}};
    Family own{
        "helios_plugin_metric", "What plugins count themselves (metric_add)", Kind::counter, {}};
    Family write_checks{"helios_plugin_write_checks_total",
                        "Keys that operators wanted to set, by what the plugin said",
                        Kind::counter,
                        {}};
    for (const auto& plugin : host.describe()) {
      for (const auto& [outcome, count] : {std::pair("allowed", plugin.write_checks.allowed),
                                           std::pair("refused", plugin.write_checks.refused),
                                           std::pair("failed", plugin.write_checks.failed),
                                           std::pair("forced", plugin.write_checks.forced)})
        write_checks.samples.push_back(
            {{{"plugin", plugin.name}, {"outcome", outcome}}, to_number(count), {}});
      for (const auto& [name, value] : plugin.metrics)
        own.samples.push_back({{{"plugin", plugin.name}, {"name", name}}, to_number(value), {}});
      versions.samples.push_back({{{"plugin", plugin.name},
                                   {"version", plugin.version},
                                   {"sha256", plugin.sha256},
                                   {"state", std::string(plugins::to_text(plugin.state))}},
                                  1,
                                  {}});
      attempts.samples.push_back({{{"plugin", plugin.name}}, 0, retry_histogram(plugin)});
      calls.add(plugin.name, plugin.calls);
      failures.add(plugin.name, plugin.failures);
      refusals.add(plugin.name, plugin.refusals);
      retries.add(plugin.name, plugin.retries);
      overruns.add(plugin.name, plugin.overruns);
      exclusive.add(plugin.name, plugin.exclusive);
      refused_writes.add(plugin.name, plugin.refused_writes);
      backed_off.add(plugin.name, plugin.backed_off);
      slow.add(plugin.name, plugin.is_slow ? 1 : 0);
      backing_off.add(plugin.name, plugin.backing_off_callers);
    }
    for (auto* family : {&calls, &failures, &refusals, &retries, &overruns, &exclusive,
                         &refused_writes, &backed_off, &slow, &backing_off}) {
      out.push_back(family->take());
    }
    out.push_back(std::move(write_checks));
    out.push_back(std::move(versions));
    out.push_back(std::move(attempts));
    out.push_back(gauge_family("helios_plugin_instances", "Plugin instances alive on event loops",
                               host.instances()));
    out.push_back(std::move(own));
  };
}

metrics::Source store_metrics(kv::Store& store) {
  return [&store](std::vector<Family>& out) {
    Family keys{"helios_kv_keys", "Keys of each namespace", Kind::gauge, {}};
    Family bytes{"helios_kv_bytes", "Bytes of each namespace", Kind::gauge, {}};
    Family streams{
        "helios_kv_stream_bytes", "Bytes of the streams of each namespace", Kind::gauge, {}};
    for (auto* space : store.namespaces()) {
      const auto usage = store.usage(*space);
      const Labels labels = {{"namespace", space->name()}};
      keys.samples.push_back({labels, to_number(usage.keys), {}});
      bytes.samples.push_back({labels, to_number(usage.bytes), {}});
      streams.samples.push_back({labels, to_number(usage.stream_bytes), {}});
    }
    out.push_back(std::move(keys));
    out.push_back(std::move(bytes));
    out.push_back(std::move(streams));
    out.push_back(gauge_family("helios_kv_limit_bytes", "What all namespaces together may take",
                               to_number(store.limits().max_total_bytes)));
    out.push_back(gauge_family("helios_kv_max_stream_bytes",
                               "What all streams together may take on disk",
                               to_number(store.limits().max_stream_bytes)));
    out.push_back(gauge_family("helios_kv_healthy", "1 while the store works",
                               store.health().empty() ? 1 : 0));
  };
}

metrics::Source journal_metrics(const kv::rocksdb::DiskJournal& journal) {
  return [&journal](std::vector<Family>& out) {
    const auto stats = journal.stats();
    out.push_back(counter_family("helios_state_transactions_total",
                                 "Transactions of namespaces that are kept on disk",
                                 stats.transactions));
    out.push_back(counter_family("helios_state_groups_total",
                                 "Writes to the state directory, each of one transaction or more",
                                 stats.groups));
    out.push_back(counter_family("helios_state_bytes_total", "Bytes of these writes", stats.bytes));
    out.push_back(gauge_family("helios_state_waiting",
                               "Commits and replies that wait until their state is safe",
                               to_number(stats.waiting)));
    out.push_back(gauge_family("helios_state_last_handed_over",
                               "Transactions that the operating system has been given",
                               to_number(stats.handed_over)));
    out.push_back(gauge_family("helios_state_last_on_disk", "Transactions that are on disk",
                               to_number(stats.on_disk)));
    out.push_back(gauge_family("helios_state_writable",
                               "0 after a write or sync has failed, until a restart",
                               journal.is_writable() ? 1 : 0));
    out.push_back(metrics::histogram_family(
        "helios_state_sync_seconds", "Syncs of the state directory", journal.sync_seconds()));
  };
}

metrics::Source archive_metrics(const kv::rocksdb::Archiver& archiver) {
  return [&archiver](std::vector<Family>& out) {
    const auto stats = archiver.stats();
    out.push_back(counter_family("helios_archive_segments_total",
                                 "Segments of streams that have moved to the archive",
                                 stats.segments));
    out.push_back(counter_family("helios_archive_records_total", "Records in them", stats.records));
    out.push_back(counter_family("helios_archive_removed_segments_total",
                                 "Segments that were removed for their age", stats.removed));
    out.push_back(counter_family("helios_archive_failures_total",
                                 "Rounds in which the archive could not be written or read",
                                 stats.failures));
  };
}

metrics::Source anchor_metrics(const anchors::AnchorKeeper& keeper) {
  return [&keeper](std::vector<Family>& out) {
    const auto stats = keeper.stats();
    out.push_back(
        counter_family("helios_anchors_total", "Anchors of streams that were kept", stats.kept));
    out.push_back(counter_family("helios_anchor_failures_total",
                                 "Anchors that could not be made or kept", stats.failures));
    out.push_back(
        gauge_family("helios_anchor_last_timestamp_seconds",
                     "When the place that is furthest behind kept its last one, since 1970",
                     static_cast<double>(stats.last_kept_ms) / 1000));
  };
}

metrics::Source process_metrics(const exec::SlowLane& lane) {
  return [&lane](std::vector<Family>& out) {
    out.push_back(gauge_family("helios_slow_lane_waiting", "Tasks that wait for the slow lane",
                               to_number(lane.waiting())));
    out.push_back(gauge_family("helios_build_info", "1, with the version as a label", 1,
                               {{"version", HELIOS_VERSION}}));
  };
}

}  // namespace helios::app
