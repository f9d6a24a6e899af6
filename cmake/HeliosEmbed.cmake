# SPDX-License-Identifier: Apache-2.0
#
# helios_embed_text(<source.cpp> INPUT <file> HEADER <header> NAMESPACE <namespace> FUNCTION <name>)
#   A rule for <source.cpp>, below the current binary directory, which makes the text of a file part of the program: HEADER
#   declares std::string_view FUNCTION().

function(helios_embed_text source)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "INPUT;HEADER;NAMESPACE;FUNCTION" "")
  set(script ${PROJECT_SOURCE_DIR}/cmake/embed_text.cmake)
  add_custom_command(
    OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${source}
    COMMAND ${CMAKE_COMMAND} -DINPUT=${PROJECT_SOURCE_DIR}/${arg_INPUT} -DOUTPUT=${CMAKE_CURRENT_BINARY_DIR}/${source}
            -DHEADER=${arg_HEADER} -DNAMESPACE=${arg_NAMESPACE} -DFUNCTION=${arg_FUNCTION} -P ${script}
    DEPENDS ${PROJECT_SOURCE_DIR}/${arg_INPUT} ${script}
    VERBATIM)
endfunction()
