// SPDX-License-Identifier: Apache-2.0

// Replaces operator new for the whole test program, to count and to fail. In a file of its own, so that compilers
// do not see through it and compare its malloc with the delete of others.

#include "support/allocation_counter.hpp"

#include <new>

#include <stdlib.h>

namespace {

thread_local std::size_t count = 0;
thread_local void (*allocation_hook)() = nullptr;

void* allocate(std::size_t size) {
  ++count;
  if (allocation_hook != nullptr) allocation_hook();
  void* memory = malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

std::size_t helios::test::allocation_count() { return count; }
void helios::test::set_allocation_hook(void (*hook)()) { allocation_hook = hook; }

void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++count;
  return malloc(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  ++count;
  return malloc(size);
}
void operator delete(void* memory) noexcept { free(memory); }
void operator delete[](void* memory) noexcept { free(memory); }
void operator delete(void* memory, std::size_t) noexcept { free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { free(memory); }
