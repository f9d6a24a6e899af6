# SPDX-License-Identifier: Apache-2.0
#
# Usage: cmake -DINPUT=<file> -DOUTPUT=<source.cpp> -DHEADER=<header> -DNAMESPACE=<namespace> -DFUNCTION=<name>
#              -P embed_text.cmake
# Writes a source file that defines the function, which HEADER declares: it returns the text of INPUT.

file(READ ${INPUT} text)
file(WRITE ${OUTPUT} "// SPDX-License-Identifier: Apache-2.0
// Made from ${INPUT}.
#include \"${HEADER}\"

namespace ${NAMESPACE} {

std::string_view ${FUNCTION}() { return R\"embedded(${text})embedded\"; }

}  // namespace ${NAMESPACE}
")
