# SPDX-License-Identifier: Apache-2.0
#
# The libraries that Debian does not have: helios::wasmtime and helios::pg_query. `tools/dev setup` builds them into
# a cache outside the tree; deps/locate.sh says where. Targets of Debian's own libraries are found here as well, so
# that a module only names them.

# helios_locate(<out> <name>): the cached directory of a dependency, or empty when it is not built.
function(helios_locate out name)
  execute_process(
    COMMAND bash ${PROJECT_SOURCE_DIR}/deps/locate.sh ${name}
    OUTPUT_VARIABLE root OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    if(NOT HELIOS_ALLOW_MISSING_DEPS)
      message(FATAL_ERROR "${name} is not built yet: run `tools/dev setup` first")
    endif()
    message(STATUS "${name} is not built yet: what needs it is left out")
    set(root "")
  endif()
  set(${out} "${root}" PARENT_SCOPE)
endfunction()

# Which of the given modules and libraries are not available; empty when all are.
function(helios_missing_deps out)
  set(missing "")
  foreach(name IN LISTS ARGN)
    if(name MATCHES "^helios::(wasmtime|pg_query|pg_query_internal)$" AND NOT TARGET ${name})
      list(APPEND missing ${name})
    endif()
    string(REPLACE "/" "_" flat "${name}")
    if(HELIOS_ALLOW_MISSING_DEPS AND name IN_LIST HELIOS_MODULES AND NOT TARGET helios_${flat})
      list(APPEND missing ${name})
    endif()
  endforeach()
  set(${out} "${missing}" PARENT_SCOPE)
endfunction()

# Which of the given source files do not exist, where leaving out incomplete targets is allowed; otherwise empty, and
# CMake itself complains.
function(helios_absent_sources out)
  set(absent "")
  if(HELIOS_ALLOW_MISSING_DEPS)
    foreach(file IN LISTS ARGN)
      if(NOT file MATCHES "\\$<" AND NOT IS_ABSOLUTE ${file} AND NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${file})
        list(APPEND absent ${file})
      endif()
    endforeach()
  endif()
  set(${out} "${absent}" PARENT_SCOPE)
endfunction()

find_package(Threads REQUIRED)

helios_locate(HELIOS_WASMTIME_ROOT wasmtime)
if(HELIOS_WASMTIME_ROOT)
  add_library(helios::wasmtime STATIC IMPORTED GLOBAL)
  set_target_properties(helios::wasmtime PROPERTIES
    IMPORTED_LOCATION ${HELIOS_WASMTIME_ROOT}/lib/libhelios_wasmtime.a
    INTERFACE_INCLUDE_DIRECTORIES ${HELIOS_WASMTIME_ROOT}/include
    INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${HELIOS_WASMTIME_ROOT}/include
    INTERFACE_LINK_LIBRARIES "Threads::Threads;dl;m")
endif()

# The raw parse tree is walked in C, which needs PostgreSQL's own headers: helios::pg_query offers the public header
# only, helios::pg_query_internal also those.
helios_locate(HELIOS_PG_QUERY_ROOT pg_query)
if(HELIOS_PG_QUERY_ROOT)
  add_library(helios::pg_query STATIC IMPORTED GLOBAL)
  set_target_properties(helios::pg_query PROPERTIES
    IMPORTED_LOCATION ${HELIOS_PG_QUERY_ROOT}/lib/libpg_query.a
    INTERFACE_INCLUDE_DIRECTORIES ${HELIOS_PG_QUERY_ROOT}/include
    INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${HELIOS_PG_QUERY_ROOT}/include
    INTERFACE_LINK_LIBRARIES "Threads::Threads;m")
  add_library(helios_pg_query_internal INTERFACE)
  target_include_directories(helios_pg_query_internal SYSTEM INTERFACE
    ${HELIOS_PG_QUERY_ROOT}/include/internal ${HELIOS_PG_QUERY_ROOT}/include/internal/postgres)
  target_link_libraries(helios_pg_query_internal INTERFACE helios::pg_query)
  add_library(helios::pg_query_internal ALIAS helios_pg_query_internal)
endif()

find_library(HELIOS_URING_LIBRARY uring REQUIRED)
add_library(helios::uring UNKNOWN IMPORTED GLOBAL)
set_target_properties(helios::uring PROPERTIES IMPORTED_LOCATION ${HELIOS_URING_LIBRARY})

# Only tests run it, so a missing one does not stop a build.
execute_process(
  COMMAND bash ${PROJECT_SOURCE_DIR}/deps/locate.sh postgres17
  OUTPUT_VARIABLE HELIOS_PG17_ROOT OUTPUT_STRIP_TRAILING_WHITESPACE)
execute_process(
  COMMAND bash ${PROJECT_SOURCE_DIR}/deps/locate.sh pgbench
  OUTPUT_VARIABLE HELIOS_PGBENCH_ROOT OUTPUT_STRIP_TRAILING_WHITESPACE)
