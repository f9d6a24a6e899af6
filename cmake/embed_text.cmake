# SPDX-License-Identifier: Apache-2.0
#
# Usage: cmake -DINPUT=<docs/openapi.yaml> -DOUTPUT=<openapi.cpp> -P embed_openapi.cmake
# Writes a source file that holds the text of INPUT.

file(READ ${INPUT} text)
file(WRITE ${OUTPUT} "// SPDX-License-Identifier: Apache-2.0
// Made from docs/openapi.yaml.
#include \"admin/openapi.hpp\"

namespace helios::admin {

std::string_view openapi_text() { return R\"openapi(${text})openapi\"; }

}  // namespace helios::admin
")
