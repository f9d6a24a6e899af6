# SPDX-License-Identifier: Apache-2.0
#
# helios_unit_test(<module> SOURCES <files> [DEPS <modules or targets>])
#   Executable <module>_test (GoogleTest and GoogleMock, main included), linked to the module itself. One per module;
#   every suite in it is a ctest test with label "unit": starting a sanitized program for each TEST takes longer than most
#   of them. NAME <name> in front of SOURCES names a second executable.
#   <module> may also be something outside src/ ("sdk"): then only DEPS are linked.
#
# helios_pytest(<name> FILE <file.py> [TIMEOUT <seconds>] [LABEL <label>] [SERIAL])
#   A ctest test that runs pytest on one file. The file finds in its environment: HELIOS_BIN (the proxy),
#   HELIOS_PLUGIN_DIR (compiled first-party plugins), HELIOS_PG17 (a directory with bin/ and share/), HELIOS_PGBENCH,
#   HELIOS_BUILD_DIR and HELIOS_SOURCE_DIR.
#
# helios_script_test(<name> COMMAND <command...> [TIMEOUT <seconds>] [LABEL <label>] [SERIAL])
#   A ctest test that runs a command with the same environment.

if(NOT HELIOS_BUILD_TESTS)
  return()
endif()
enable_testing()
find_package(GTest REQUIRED)

# A limit for what hangs, not for what is slow: sanitized tests on a busy machine take their time.
set(HELIOS_TEST_TIMEOUT 900)

# ThreadSanitizer wants its fixed address ranges free; kernels with much randomisation put mappings into them.
set(HELIOS_TEST_LAUNCHER "")
if("thread" IN_LIST HELIOS_SANITIZE)
  set(HELIOS_TEST_LAUNCHER
    env TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/cmake/tsan-suppressions.txt setarch --addr-no-randomize)
endif()

# Debian's own python3, which setup gives pytest; another one on PATH may lack it.
set(HELIOS_PYTHON /usr/bin/python3)

# Registers every suite of an executable as <prefix>.<suite>. Which there are, the executable is asked when ctest begins.
function(helios_discover_unit_tests target prefix)
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  set(script ${CMAKE_CURRENT_BINARY_DIR}/${target}_suites.cmake)
  file(WRITE ${script}
    "set(PROGRAM \"${PROJECT_BINARY_DIR}/tests/${target}\")\n"
    "set(LAUNCHER \"${HELIOS_TEST_LAUNCHER}\")\n"
    "set(PREFIX \"${prefix}\")\n"
    "set(TIMEOUT ${HELIOS_TEST_TIMEOUT})\n"
    "include(\"${PROJECT_SOURCE_DIR}/cmake/AddSuites.cmake\")\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${script})
endfunction()

function(helios_unit_test module)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "NAME" "SOURCES;DEPS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "helios_unit_test(${module}): unknown arguments ${arg_UNPARSED_ARGUMENTS}")
  endif()
  string(REPLACE "/" "_" flat ${module})
  set(target ${flat}_test)
  if(arg_NAME)
    set(target ${arg_NAME})
  endif()
  set(subject "")
  if(module IN_LIST HELIOS_MODULES)
    set(subject ${module})
  endif()
  helios_missing_deps(missing ${subject} ${arg_DEPS})
  helios_absent_sources(absent ${arg_SOURCES})
  if(missing OR absent)
    message(STATUS "test ${target} left out: ${missing} ${absent} not there yet")
    return()
  endif()
  helios_link_names(deps ${subject} ${arg_DEPS})
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE helios_options ${deps} GTest::gtest_main GTest::gmock)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  # Code of tests runs once: optimising it, with the sanitizers in it, takes twice the time of compiling it.
  target_compile_options(${target} PRIVATE $<$<CONFIG:Dev>:-O0>)
  helios_finish_program(${target})
  helios_discover_unit_tests(${target} ${flat})
endfunction()

function(helios_set_script_properties name timeout label serial)
  set_tests_properties(${name} PROPERTIES
    LABELS "${label}" TIMEOUT ${timeout} SKIP_RETURN_CODE 77 COST 30 # longer than a suite: first on a new machine
    ENVIRONMENT "HELIOS_BIN=${PROJECT_BINARY_DIR}/bin/heliosproxy;HELIOS_PLUGIN_DIR=${PROJECT_BINARY_DIR}/plugins;HELIOS_PG17=${HELIOS_PG17_ROOT};HELIOS_PGBENCH=${HELIOS_PGBENCH_ROOT}/bin/pgbench;HELIOS_BUILD_DIR=${PROJECT_BINARY_DIR};HELIOS_SOURCE_DIR=${PROJECT_SOURCE_DIR};PYTHONDONTWRITEBYTECODE=1")
  if(serial)
    set_tests_properties(${name} PROPERTIES RUN_SERIAL ON)
  endif()
endfunction()

function(helios_script_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "SERIAL" "TIMEOUT;LABEL" "COMMAND")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT ${HELIOS_TEST_TIMEOUT})
  endif()
  if(NOT arg_LABEL)
    set(arg_LABEL integration)
  endif()
  add_test(NAME ${name} COMMAND ${HELIOS_TEST_LAUNCHER} ${arg_COMMAND} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  helios_set_script_properties(${name} ${arg_TIMEOUT} "${arg_LABEL}" "${arg_SERIAL}")
endfunction()

function(helios_pytest name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "SERIAL" "FILE;TIMEOUT;LABEL" "")
  if(NOT arg_FILE)
    message(FATAL_ERROR "helios_pytest(${name}): FILE is missing")
  endif()
  cmake_path(ABSOLUTE_PATH arg_FILE BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT ${HELIOS_TEST_TIMEOUT})
  endif()
  if(NOT arg_LABEL)
    set(arg_LABEL integration)
  endif()
  add_test(NAME ${name}
    COMMAND ${HELIOS_TEST_LAUNCHER} ${HELIOS_PYTHON} -m pytest -q -rfEs -p no:cacheprovider ${arg_FILE}
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  helios_set_script_properties(${name} ${arg_TIMEOUT} "${arg_LABEL}" "${arg_SERIAL}")
endfunction()
