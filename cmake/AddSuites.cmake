# SPDX-License-Identifier: Apache-2.0
#
# Run by ctest where it reads the tests of a folder. Registers each suite of a GoogleTest program as one test, named
# <prefix>.<suite>. The variables: PROGRAM (its path), LAUNCHER (a list, may be empty), PREFIX, TIMEOUT (seconds).

execute_process(
  COMMAND ${LAUNCHER} ${PROGRAM} --gtest_list_tests
  OUTPUT_VARIABLE listed ERROR_VARIABLE said RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  # Not left out in silence: the test of this name fails, and shows why.
  add_test("${PREFIX}.cannot_list_its_tests" ${LAUNCHER} "${PROGRAM}" --gtest_list_tests)
  return()
endif()

# A suite stands at the beginning of its line, its tests are indented.
string(REGEX MATCHALL "(^|\n)[A-Za-z_][A-Za-z0-9_/]*\\." suites "${listed}")
if(NOT suites)
  add_test("${PREFIX}.has_no_tests" false)
endif()
foreach(suite IN LISTS suites)
  string(STRIP "${suite}" suite)
  string(REGEX REPLACE "\\.$" "" suite "${suite}")
  add_test("${PREFIX}.${suite}" ${LAUNCHER} "${PROGRAM}" "--gtest_filter=${suite}.*" --gtest_brief=1)
  set_tests_properties("${PREFIX}.${suite}" PROPERTIES LABELS unit TIMEOUT ${TIMEOUT})
endforeach()
