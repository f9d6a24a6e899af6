// SPDX-License-Identifier: Apache-2.0
#pragma once

// The catalogue of hostile plugins: what each is, and the one thing that may come of it.

#include <concepts>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helios::plugins {

// Bytes, or what makes them when they are asked for: of large ones, as every test makes the whole catalogue.
class LazyBytes {
 public:
  template <typename Bytes>
    requires std::convertible_to<Bytes, std::string>
  LazyBytes(Bytes bytes)  // NOLINT(google-explicit-constructor): either is bytes
      : make_([kept = std::string(std::move(bytes))] { return kept; }) {}
  template <std::invocable Make>
  LazyBytes(Make make)  // NOLINT(google-explicit-constructor)
      : make_(std::move(make)) {}

  [[nodiscard]] std::string make() const { return make_(); }

 private:
  std::function<std::string()> make_;
};

struct HostileGuest {
  enum class Outcome {
    not_loaded,  // `words` are in the error
    loops,       // leaves the event loop, then fails with a timeout
    fails,       // `words` are in the failure
    proceeds,
    blocks,    // `words` are in the reason
    rewrites,  // to `words`
  };

  std::string name;
  LazyBytes file;  // the module: text or binary
  bool is_text = true;
  Outcome outcome = Outcome::proceeds;
  std::string words{};
  std::uint64_t keys = 0;  // that one call leaves in its namespace
};

// All of them. Those that only run for a while when called are in hostile_calls(), those whose answer
// is the trouble in hostile_answers(), those that should not load at all, or are large, in
// hostile_modules().
[[nodiscard]] std::vector<HostileGuest> hostile_guests();

[[nodiscard]] std::vector<HostileGuest> hostile_modules();
[[nodiscard]] std::vector<HostileGuest> hostile_calls();
[[nodiscard]] std::vector<HostileGuest> hostile_answers();

// Pieces of a plugin in the text format. In them, $kv_get, $kv_set, $kv_delete, $sha256_hex and
// $time_now_ms are the imports, "key" stands at 16.
struct GuestText {
  std::string hook = "(i64.const 0)";
  std::string alloc = "(i32.const 1024)";
  std::string dealloc{};
  std::string more{};
  std::uint32_t pages = 2;
};
[[nodiscard]] std::string guest_text(const GuestText& parts);

// A plugin whose pre_query answers `json`, whatever bytes that is.
[[nodiscard]] std::string guest_answering(std::string_view json);

}  // namespace helios::plugins
