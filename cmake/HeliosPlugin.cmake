# SPDX-License-Identifier: Apache-2.0
#
# helios_wasm_plugin(<target> [NAME <name>] SOURCES <files> [MANIFEST <toml>] [INCLUDES <dirs>] [LIBCPP]
#                    [OUTPUT_DIR <dir>])
#
#   Compiles C++ or C sources to <build>/plugins/<name>.wasm (default name: the target's) with clang-19, include root
#   abi/. Without LIBCPP the guest is freestanding: no libc, no C++ library, imports only what it names itself. With
#   LIBCPP it is a WASI reactor with libc++ (exceptions off), a few ten kilobytes larger. MANIFEST is copied beside it
#   as <name>.toml. What goes to the default directory is a first-party plugin and part of the target "product";
#   guests that only tests use name an OUTPUT_DIR of their own.
#
# helios_rust_plugin(<target> NAME <name> SOURCE <file> OUTPUT_DIR <dir>)
#
#   The same for a plugin in Rust, on the SDK in abi/rust, with Debian's rustc of the cache (deps/build-guest_rust.sh).
#   Without it the target is left out, and says so.

set(HELIOS_WASM_COMPILER clang++-19)
set(HELIOS_WASM_FLAGS_COMMON
  -O2 -std=c++20 -fno-exceptions -fno-rtti -Wall -Wextra -Wshadow -Werror -fvisibility=hidden
  -Wl,--strip-all -Wl,-z,stack-size=65536)
set(HELIOS_WASM_FLAGS_FREESTANDING
  --target=wasm32 -nostdlib -ffreestanding -mbulk-memory -fno-threadsafe-statics -Wl,--no-entry)
set(HELIOS_WASM_FLAGS_LIBCPP
  --target=wasm32-wasi --sysroot=/usr -mexec-model=reactor -stdlib=libc++)

function(helios_wasm_plugin target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "LIBCPP" "NAME;MANIFEST;OUTPUT_DIR" "SOURCES;INCLUDES")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "helios_wasm_plugin(${target}): unknown arguments ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT arg_NAME)
    set(arg_NAME ${target})
  endif()
  set(first_party OFF)
  if(NOT arg_OUTPUT_DIR)
    set(arg_OUTPUT_DIR ${PROJECT_BINARY_DIR}/plugins)
    set(first_party ON)
  endif()
  set(flags ${HELIOS_WASM_FLAGS_FREESTANDING})
  if(arg_LIBCPP)
    set(flags ${HELIOS_WASM_FLAGS_LIBCPP})
  endif()
  set(includes -I${PROJECT_SOURCE_DIR}/abi)
  foreach(dir IN LISTS arg_INCLUDES)
    cmake_path(ABSOLUTE_PATH dir BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
    list(APPEND includes -I${dir})
  endforeach()
  set(sources "")
  foreach(source IN LISTS arg_SOURCES)
    cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
    list(APPEND sources ${source})
  endforeach()
  # One clang call per plugin; the headers it reads are found again by their names, as there is no object file step.
  file(GLOB_RECURSE abi_headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/abi/*.h ${PROJECT_SOURCE_DIR}/abi/*.hpp)
  set(wasm ${arg_OUTPUT_DIR}/${arg_NAME}.wasm)
  add_custom_command(
    OUTPUT ${wasm}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${arg_OUTPUT_DIR}
    COMMAND ${HELIOS_WASM_COMPILER} ${HELIOS_WASM_FLAGS_COMMON} ${flags} ${includes} ${sources} -o ${wasm}
    DEPENDS ${sources} ${abi_headers}
    COMMENT "Compiling plugin ${arg_NAME}.wasm" VERBATIM)
  set(outputs ${wasm})
  if(arg_MANIFEST)
    cmake_path(ABSOLUTE_PATH arg_MANIFEST BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
    set(manifest ${arg_OUTPUT_DIR}/${arg_NAME}.toml)
    add_custom_command(
      OUTPUT ${manifest}
      COMMAND ${CMAKE_COMMAND} -E copy ${arg_MANIFEST} ${manifest}
      DEPENDS ${arg_MANIFEST} VERBATIM)
    list(APPEND outputs ${manifest})
  endif()
  add_custom_target(${target} ALL DEPENDS ${outputs})
  set_target_properties(${target} PROPERTIES HELIOS_WASM_FILE ${wasm})
  if(first_party)
    add_dependencies(product ${target})
  endif()
endfunction()

execute_process(
  COMMAND bash ${PROJECT_SOURCE_DIR}/deps/locate.sh guest_rust
  OUTPUT_VARIABLE HELIOS_GUEST_RUST OUTPUT_STRIP_TRAILING_WHITESPACE)
set(HELIOS_RUST_FLAGS
  --edition 2021 --target wasm32-unknown-unknown -D warnings -C opt-level=s -C panic=abort -C strip=symbols
  -C linker=wasm-ld-19 -C link-arg=-zstack-size=65536
  # A newer linker than this rustc knows: it warns of the metadata in Rust's archives.
  -C link-arg=--no-fatal-warnings)

function(helios_rust_plugin target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "NAME;SOURCE;OUTPUT_DIR" "")
  if(NOT HELIOS_GUEST_RUST)
    message(STATUS "${target} left out: run `tools/dev setup` for the compiler of plugins in Rust")
    return()
  endif()
  cmake_path(ABSOLUTE_PATH arg_SOURCE BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  set(rustc ${HELIOS_GUEST_RUST}/bin/rustc ${HELIOS_RUST_FLAGS})
  set(library ${arg_OUTPUT_DIR}/rust/libhelios_plugin.rlib)
  if(NOT TARGET guest_rust_sdk)
    file(GLOB sdk_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/abi/rust/src/*.rs)
    add_custom_command(
      OUTPUT ${library}
      COMMAND ${CMAKE_COMMAND} -E make_directory ${arg_OUTPUT_DIR}/rust
      COMMAND ${rustc} --crate-type rlib --crate-name helios_plugin ${PROJECT_SOURCE_DIR}/abi/rust/src/lib.rs -o ${library}
      DEPENDS ${sdk_sources} VERBATIM)
    add_custom_target(guest_rust_sdk DEPENDS ${library})
  endif()
  set(wasm ${arg_OUTPUT_DIR}/${arg_NAME}.wasm)
  add_custom_command(
    OUTPUT ${wasm}
    COMMAND ${rustc} --crate-type cdylib --crate-name guest --extern helios_plugin=${library} ${arg_SOURCE} -o ${wasm}
    DEPENDS ${arg_SOURCE} ${library}
    COMMENT "Compiling plugin ${arg_NAME}.wasm" VERBATIM)
  add_custom_target(${target} ALL DEPENDS ${wasm})
  add_dependencies(${target} guest_rust_sdk)
endfunction()
