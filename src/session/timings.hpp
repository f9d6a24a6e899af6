// SPDX-License-Identifier: Apache-2.0
#pragma once

// How long things take, one set per worker: written by that worker's sessions, read by anyone. Sessions without hooks
// read no clock for it; with hooks, one reading for each message whose statements have some is added to those that the
// hooks' own view of time needs.

#include "metrics/duration_histogram.hpp"

namespace helios::session {

struct Timings {
  // Statements with hooks that the server completed, or answered with an error: what it spent on each, which is
  // hooks::StatementExecution::duration_ns.
  metrics::DurationHistogram statements;
  // Messages that were forwarded, from the start of the first pre_query of their statements on: hooks, and what they
  // waited for.
  metrics::DurationHistogram pre_query;
  // Messages that could be judged only later: for the answers to earlier ones; for work elsewhere (a hook on the slow lane,
  // a long text). And ends of answers that waited for post_query, or for what it has stored to be safe.
  metrics::DurationHistogram waits_for_answers;
  metrics::DurationHistogram waits_for_work;
  metrics::DurationHistogram waits_for_post_query;
};

}  // namespace helios::session
