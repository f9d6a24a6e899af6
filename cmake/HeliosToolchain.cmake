# SPDX-License-Identifier: Apache-2.0
#
# Compiler, linker, warnings and sanitizers for our own code. Libraries of others are imported as SYSTEM and built
# elsewhere, so nothing here touches them.

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)

# All our code ends up in programs, never in a shared library: nobody outside calls its functions or puts others in
# their place, so the compiler may inline them everywhere. -fPIC, which CMake would take, is meant for libraries.
add_compile_options(-fPIE -fvisibility=hidden)
add_link_options(-pie)

# "Dev" keeps assertions and stays debuggable, yet is fast enough for tests that move gigabytes.
# Line tables alone (-g1) name the place in a sanitizer's report and keep objects small.
# FORCE: CMake has made empty entries for a build type it does not know.
set(CMAKE_C_FLAGS_DEV "-O1 -g1 -fno-omit-frame-pointer" CACHE STRING "C flags of the Dev build type" FORCE)
set(CMAKE_CXX_FLAGS_DEV "-O1 -g1 -fno-omit-frame-pointer" CACHE STRING "C++ flags of the Dev build type" FORCE)
set(CMAKE_C_FLAGS_RELEASE "-O2 -g -DNDEBUG" CACHE STRING "C flags of the Release build type" FORCE)
set(CMAKE_CXX_FLAGS_RELEASE "-O3 -g -DNDEBUG" CACHE STRING "C++ flags of the Release build type" FORCE)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Dev CACHE STRING "Dev or Release" FORCE)
endif()

find_program(HELIOS_CCACHE ccache)
if(HELIOS_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Objects with debug information are shared between build directories too.
  set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_NOHASHDIR=1 ${HELIOS_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_NOHASHDIR=1 ${HELIOS_CCACHE})
endif()

find_program(HELIOS_MOLD mold)
if(HELIOS_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
add_link_options(-Wl,--gc-sections)

# Flags that every one of our targets gets, through helios_module() and its siblings.
add_library(helios_options INTERFACE)
target_compile_options(helios_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wimplicit-fallthrough -Wundef -Werror
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual -Wextra-semi>
  -ffunction-sections -fdata-sections)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 sees overlapping copies in std::string's operator+ where there are none (its bug 105651).
  target_compile_options(helios_options INTERFACE -Wduplicated-cond -Wlogical-op -Wno-restrict)
elseif(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # std::stable_sort of GCC 12's library calls what C++17 deprecated. GCC's -Wconversion leaves signs out in C++:
  # what GCC has accepted, day to day, must not stop the fuzzers.
  target_compile_options(helios_options INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-Wno-deprecated-declarations -Wno-sign-conversion>)
endif()
target_include_directories(helios_options INTERFACE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/abi)
target_compile_definitions(helios_options INTERFACE HELIOS_VERSION="${PROJECT_VERSION}")

set(HELIOS_SANITIZE "" CACHE STRING "Sanitizers: a list of address, undefined, thread")
if(HELIOS_SANITIZE)
  list(JOIN HELIOS_SANITIZE "," _sanitizers)
  add_compile_options(-fsanitize=${_sanitizers})
  add_link_options(-fsanitize=${_sanitizers})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Instrumentation hides initialisations from GCC's flow analysis; -Wtsan warns of fences in library headers.
    target_compile_options(helios_options INTERFACE -Wno-maybe-uninitialized -Wno-tsan)
  endif()
  if("undefined" IN_LIST HELIOS_SANITIZE)
    # The check of virtual calls opens a pipe: where descriptors have run out, as tests make happen, it reports good
    # objects.
    add_compile_options(-fno-sanitize-recover=undefined -fno-sanitize=vptr)
  endif()
  if("thread" IN_LIST HELIOS_SANITIZE)
    add_compile_definitions(HELIOS_TSAN=1)
  endif()
  if("address" IN_LIST HELIOS_SANITIZE)
    add_compile_definitions(HELIOS_ASAN=1)
  endif()
endif()
if(HELIOS_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

if(HELIOS_SANITIZE)
  add_library(helios_sanitizer_defaults OBJECT ${PROJECT_SOURCE_DIR}/cmake/sanitizer_defaults.cpp)
endif()

# helios_finish_program(<target>): what every executable of ours needs beside its own code.
function(helios_finish_program target)
  if(HELIOS_SANITIZE)
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:helios_sanitizer_defaults>)
  endif()
endfunction()
