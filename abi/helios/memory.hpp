// SPDX-License-Identifier: Apache-2.0
#pragma once

// The memory of a plugin: a pointer that moves up, and the few C functions that compilers call on
// their own. No C library is needed.
//
// In a freestanding guest, a hook call allocates upwards from the end of the module's data, and the next
// one begins there again. So nothing that a hook allocates outlives the call: keep no String in a global
// variable. Memory that cannot be had ends the call with a trap, which the proxy treats as the plugin's
// `on_error` says.
//
// With a C library, and in a native build, it is malloc and free; there sanitizers see every mistake.

#include <stddef.h>
#include <stdint.h>

#if defined(__wasm__) && !defined(__wasi__)
#define HELIOS_FREESTANDING 1
#else
#include <cstdlib>
#include <cstring>
#endif

namespace helios::plugin {

// Ends this hook call: nothing that it did happens, and `on_error` decides about the statement.
[[noreturn]] inline void fail() {
#ifdef __wasm__
  __builtin_trap();
#else
  std::abort();
#endif
}

namespace detail {

inline constexpr size_t kAlignment = 8;

#ifdef HELIOS_FREESTANDING

extern "C" char __heap_base;  // defined by the linker: where the data of the module ends

inline constexpr size_t kPageBytes = 65536;

// 0 = nothing was allocated yet.
inline uintptr_t heap_top = 0;

inline uintptr_t heap_floor() {
  return (reinterpret_cast<uintptr_t>(&__heap_base) + kAlignment - 1) & ~(kAlignment - 1);
}

inline void* allocate(size_t bytes) {
  if (heap_top == 0) heap_top = heap_floor();
  const uint64_t end = (uint64_t{heap_top} + bytes + kAlignment - 1) & ~uint64_t{kAlignment - 1};
  const uint64_t have = uint64_t{__builtin_wasm_memory_size(0)} * kPageBytes;
  if (end > have) {
    const uint64_t missing_pages = (end - have + kPageBytes - 1) / kPageBytes;
    if (end > UINT32_MAX || __builtin_wasm_memory_grow(0, missing_pages) == SIZE_MAX) fail();
  }
  void* block = reinterpret_cast<void*>(heap_top);
  heap_top = static_cast<uintptr_t>(end);
  return block;
}

// Gives back the block that was allocated last; any other stays until the call ends.
inline void release(void* block, size_t bytes) {
  const uintptr_t begin = reinterpret_cast<uintptr_t>(block);
  if (((begin + bytes + kAlignment - 1) & ~(kAlignment - 1)) == heap_top) heap_top = begin;
}

// Stands in every hook call: when it ends, all that was allocated is free again.
struct HookMemory {
  ~HookMemory() { heap_top = 0; }
};

#else

inline void* allocate(size_t bytes) {
  void* block = std::malloc(bytes == 0 ? 1 : bytes);
  if (block == nullptr) fail();
  return block;
}

inline void release(void* block, size_t) { std::free(block); }

struct HookMemory {
  ~HookMemory() {}
};

#endif

// Word by word; the last one may overlap the one before it, so it is read first. Requires: they are at least one.
template <class Word>
void copy_words(char* to, const char* from, size_t bytes) {
  const size_t last = bytes - sizeof(Word);
  Word end;
  __builtin_memcpy(&end, from + last, sizeof end);
  for (size_t at = 0; at < last; at += sizeof(Word)) {
    Word word;
    __builtin_memcpy(&word, from + at, sizeof word);
    __builtin_memcpy(to + at, &word, sizeof word);
  }
  __builtin_memcpy(to + last, &end, sizeof end);
}

// The blocks do not overlap, or `to` lies before `from`.
inline void copy_forwards(char* to, const char* from, size_t bytes) {
#ifdef HELIOS_FREESTANDING
#ifdef __wasm_bulk_memory__
  // The engine's own copy is the fastest one, but it is a call; short ones are cheaper in a loop.
  constexpr size_t kLongCopyBytes = 256;
  if (bytes > kLongCopyBytes) {
    __builtin_memmove(to, from, bytes);
    return;
  }
#endif
  if (bytes >= sizeof(uint64_t)) return copy_words<uint64_t>(to, from, bytes);
  if (bytes >= sizeof(uint32_t)) return copy_words<uint32_t>(to, from, bytes);
  for (size_t i = 0; i < bytes; ++i) to[i] = from[i];
#else
  if (bytes != 0) __builtin_memmove(to, from, bytes);
#endif
}

}  // namespace detail
}  // namespace helios::plugin

#ifdef HELIOS_FREESTANDING

// Compilers turn copies and initialisations into calls of these. Weak: a C library's own win.
extern "C" {

__attribute__((weak)) void* memcpy(void* to, const void* from, size_t bytes) {
  helios::plugin::detail::copy_forwards(static_cast<char*>(to), static_cast<const char*>(from),
                                        bytes);
  return to;
}

__attribute__((weak)) void* memmove(void* to, const void* from, size_t bytes) {
  char* out = static_cast<char*>(to);
  const char* in = static_cast<const char*>(from);
  if (out <= in) return memcpy(to, from, bytes);
  for (size_t i = bytes; i > 0; --i) out[i - 1] = in[i - 1];
  return to;
}

__attribute__((weak)) void* memset(void* to, int byte, size_t bytes) {
  char* out = static_cast<char*>(to);
  for (size_t i = 0; i < bytes; ++i) out[i] = static_cast<char>(byte);
  return to;
}

__attribute__((weak)) int memcmp(const void* left, const void* right, size_t bytes) {
  const unsigned char* a = static_cast<const unsigned char*>(left);
  const unsigned char* b = static_cast<const unsigned char*>(right);
  for (size_t i = 0; i < bytes; ++i)
    if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
  return 0;
}

}  // extern "C"

#else
#include <string.h>
#endif
