# SPDX-License-Identifier: Apache-2.0
#
# helios_fuzz_target(<name> SOURCES <files> [DEPS <modules or targets>] [DICTIONARY <file>] [MAX_LEN <bytes>])
#
#   Declares the program fuzz_<name>; one of SOURCES defines LLVMFuzzerTestOneInput. In the preset "fuzz" libFuzzer
#   drives it; elsewhere a main of ours runs every file of seeds/<name> (of the tree, and of make_seeds.py) and
#   regressions/<name> once, as the ctest test fuzz.<name>: what was ever found stays found, with every compiler and
#   sanitizer. DICTIONARY and MAX_LEN are for libFuzzer; tools/dev reads its arguments from <build>/fuzz/<name>.args.
#   All programs together are the target "fuzzers".

add_custom_target(fuzzers)

function(helios_fuzz_target name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "DICTIONARY;MAX_LEN" "SOURCES;DEPS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "helios_fuzz_target(${name}): unknown arguments ${arg_UNPARSED_ARGUMENTS}")
  endif()
  set(target fuzz_${name})
  helios_missing_deps(missing ${arg_DEPS})
  helios_absent_sources(absent ${arg_SOURCES})
  if(missing OR absent)
    message(STATUS "fuzz target ${name} left out: ${missing} ${absent} not there yet")
    return()
  endif()
  helios_link_names(deps ${arg_DEPS})
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE helios_options helios_fuzz_support ${deps})
  helios_finish_program(${target})
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz)
  add_dependencies(fuzzers ${target})

  set(inputs "")
  foreach(folder IN ITEMS
      ${CMAKE_CURRENT_SOURCE_DIR}/seeds/${name} ${PROJECT_BINARY_DIR}/fuzz/seeds/${name}
      ${CMAKE_CURRENT_SOURCE_DIR}/regressions/${name})
    # The glob notices the first regression of a target.
    file(GLOB files CONFIGURE_DEPENDS ${folder}/*)
    if(files)
      list(APPEND inputs ${folder})
    endif()
  endforeach()
  list(JOIN inputs "\n" arguments)
  string(APPEND arguments "\n")
  if(HELIOS_FUZZ)
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    list(PREPEND inputs -runs=0)
  else()
    target_link_libraries(${target} PRIVATE helios_fuzz_replay)
  endif()
  add_test(NAME fuzz.${name} COMMAND ${HELIOS_TEST_LAUNCHER} $<TARGET_FILE:${target}> ${inputs})
  set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT ${HELIOS_TEST_TIMEOUT})

  if(arg_DICTIONARY)
    string(APPEND arguments "-dict=${CMAKE_CURRENT_SOURCE_DIR}/${arg_DICTIONARY}\n")
  endif()
  if(arg_MAX_LEN)
    string(APPEND arguments "-max_len=${arg_MAX_LEN}\n")
  endif()
  file(WRITE ${PROJECT_BINARY_DIR}/fuzz/${name}.args "${arguments}")
endfunction()
