// SPDX-License-Identifier: Apache-2.0
//
// Run-time options of the sanitizers, linked into every program of a sanitized build, so that a
// program behaves the same whoever starts it. The environment (ASAN_OPTIONS, ...) still overrides
// them.

// The sanitizers' libraries look for these, so they are visible where nothing else is.
#pragma GCC visibility push(default)
extern "C" {

const char* __asan_default_options();
const char* __tsan_default_options();
const char* __ubsan_default_options();

// What is freed is kept back for a while, up to so much: as it comes to be, memory grows, and tests that look at it would
// see that and not the program.
const char* __asan_default_options() {
  return "detect_stack_use_after_return=1:strict_string_checks=1:quarantine_size_mb=32";
}

// The wasm engine turns a guest's fault into a trap inside its signal handler, which allocates;
// that is by design.
const char* __tsan_default_options() { return "report_signal_unsafe=0:second_deadlock_stack=1"; }

const char* __ubsan_default_options() { return "print_stacktrace=1"; }

}  // extern "C"
#pragma GCC visibility pop
