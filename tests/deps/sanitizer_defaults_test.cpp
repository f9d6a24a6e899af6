// SPDX-License-Identifier: Apache-2.0

// Goal: the sanitizers take the options that cmake/sanitizer_defaults.cpp gives them. Method: look for them as their
// libraries do, which have empty ones of their own.

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <string>

namespace {

[[maybe_unused]] std::string options_of(const char* sanitizer) {
  void* const found = dlsym(RTLD_DEFAULT, sanitizer);
  return found == nullptr ? "" : reinterpret_cast<const char* (*)()>(found)();
}

TEST(SanitizerDefaults, are_seen) {
#if defined(HELIOS_ASAN)
  EXPECT_NE(options_of("__asan_default_options"), "");
  EXPECT_NE(options_of("__ubsan_default_options"), "");
#elif defined(HELIOS_TSAN)
  EXPECT_NE(options_of("__tsan_default_options"), "");
#else
  GTEST_SKIP() << "built without sanitizers";
#endif
}

}  // namespace
