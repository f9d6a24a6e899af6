# SPDX-License-Identifier: Apache-2.0
#
# helios_module(<name> SOURCES <files> [DEPS <modules or targets>] [PRIVATE_DEPS <modules or targets>])
#
#   Declares a module: static library helios_<name>, alias helios::<name>. Call it in src/<name>/CMakeLists.txt.
#   <name> may be a path below src ("kv/rocksdb"): the target is then helios_kv_rocksdb, the alias
#   helios::kv_rocksdb. Includes are written from src/ ("kv/store.hpp").
#   DEPS are visible to users of the module (its headers include them), PRIVATE_DEPS are not. Each entry is a module
#   name ("base", "kv") or any CMake target ("helios::wasmtime", "OpenSSL::SSL"). A module without sources (headers
#   only) becomes an INTERFACE library.

# Turns a list of module names and targets into link targets.
function(helios_link_names out)
  set(result "")
  foreach(name IN LISTS ARGN)
    string(REPLACE "/" "_" flat "${name}")
    if(TARGET helios_${flat})
      list(APPEND result helios_${flat})
    elseif(TARGET ${name} OR name MATCHES "::")
      list(APPEND result ${name})
    elseif(name IN_LIST HELIOS_MODULES)
      message(FATAL_ERROR "module ${name} is linked here but not declared (yet); see the order in /CMakeLists.txt")
    else()
      list(APPEND result ${name}) # a plain library: "dl", "pthread"
    endif()
  endforeach()
  set(${out} ${result} PARENT_SCOPE)
endfunction()

function(helios_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPS;PRIVATE_DEPS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "helios_module(${name}): unknown arguments ${arg_UNPARSED_ARGUMENTS}")
  endif()
  string(REPLACE "/" "_" flat ${name})
  set(target helios_${flat})
  helios_missing_deps(missing ${arg_DEPS} ${arg_PRIVATE_DEPS})
  helios_absent_sources(absent ${arg_SOURCES})
  if(missing OR absent)
    message(STATUS "module ${name} left out: ${missing} ${absent} not there yet")
    return()
  endif()
  helios_link_names(deps ${arg_DEPS})
  helios_link_names(private_deps ${arg_PRIVATE_DEPS})
  if(arg_SOURCES)
    add_library(${target} STATIC ${arg_SOURCES})
    target_link_libraries(${target} PUBLIC helios_options ${deps} PRIVATE ${private_deps})
  else()
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE helios_options ${deps} ${private_deps})
  endif()
  add_library(helios::${flat} ALIAS ${target})
endfunction()

# helios_executable(<target> SOURCES <files> [DEPS <modules or targets>])
function(helios_executable target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPS")
  helios_missing_deps(missing ${arg_DEPS})
  helios_absent_sources(absent ${arg_SOURCES})
  if(missing OR absent)
    message(STATUS "program ${target} left out: ${missing} ${absent} not there yet")
    return()
  endif()
  helios_link_names(deps ${arg_DEPS})
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE helios_options ${deps})
  helios_finish_program(${target})
  # Programs lie together, so that tests and scripts find them by one rule.
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
endfunction()

# Adds <dir> when it has a CMakeLists.txt.
function(helios_add_subdirectory_if_present dir)
  if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${dir}/CMakeLists.txt)
    add_subdirectory(${dir})
  endif()
endfunction()
