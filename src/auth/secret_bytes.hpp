// SPDX-License-Identifier: Apache-2.0
#pragma once

// Bytes that nobody may find later: wiped when they are given up. Whoever has a key of SCRAM can log in with it.
//
// Thread rule: one thread at a time.

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace helios::auth {

// Overwrites it in a way that no compiler leaves out.
void wipe(void* bytes, std::size_t count);
// All that the string holds memory for, also what it held before it became shorter. It is empty then.
void wipe(std::string& text);

// A key, or a digest that stands for one.
class Key {
 public:
  static constexpr std::size_t kBytes = 32;  // SHA-256

  Key() = default;
  // Requires: kBytes bytes.
  explicit Key(std::string_view bytes);
  Key(const Key&) = default;
  Key& operator=(const Key&) = default;
  ~Key() { wipe(bytes_.data(), bytes_.size()); }

  [[nodiscard]] std::string_view view() const {
    return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
  }
  [[nodiscard]] unsigned char* data() { return bytes_.data(); }
  // Takes the same time wherever they differ.
  [[nodiscard]] bool operator==(const Key& other) const;

 private:
  std::array<unsigned char, kBytes> bytes_{};
};

// A text that is wiped: a password, say.
class SecretText {
 public:
  SecretText() = default;
  explicit SecretText(std::string text) : text_(std::move(text)) {}
  SecretText(const SecretText&) = default;
  SecretText& operator=(const SecretText& other);
  SecretText(SecretText&& other) noexcept;
  SecretText& operator=(SecretText&& other) noexcept;
  ~SecretText() { wipe(text_); }

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] bool empty() const { return text_.empty(); }

 private:
  std::string text_;
};

}  // namespace helios::auth
