// SPDX-License-Identifier: Apache-2.0
#include "session/large_objects.hpp"

#include "session/rebind.hpp"

#include <algorithm>
#include <array>

namespace helios::session {
namespace {

struct Function {
  std::uint32_t oid;  // in pg_proc
  std::string_view statement;
};

constexpr std::array kFunctions{
    Function{715, "SELECT pg_catalog.lo_create($1)"},
    Function{952, "SELECT pg_catalog.lo_open($1, $2)"},
    Function{953, "SELECT pg_catalog.lo_close($1)"},
    Function{954, "SELECT pg_catalog.loread($1, $2)"},
    Function{955, "SELECT pg_catalog.lowrite($1, $2)"},
    Function{956, "SELECT pg_catalog.lo_lseek($1, $2, $3)"},
    Function{957, "SELECT pg_catalog.lo_creat($1)"},
    Function{958, "SELECT pg_catalog.lo_tell($1)"},
    Function{964, "SELECT pg_catalog.lo_unlink($1)"},
    Function{1004, "SELECT pg_catalog.lo_truncate($1, $2)"},
    Function{3170, "SELECT pg_catalog.lo_lseek64($1, $2, $3)"},
    Function{3171, "SELECT pg_catalog.lo_tell64($1)"},
    Function{3172, "SELECT pg_catalog.lo_truncate64($1, $2)"},
};

}  // namespace

std::string_view large_object_statement(std::uint32_t function) {
  const auto* const found = std::ranges::find(kFunctions, function, &Function::oid);
  return found == kFunctions.end() ? std::string_view() : found->statement;
}

std::shared_ptr<const BoundStatement> bind_large_object_call(Environment& environment,
                                                             const pgwire::FunctionCallView& call,
                                                             sql::ReadingRules rules) {
  const std::string_view text = large_object_statement(call.function);
  if (text.empty()) return nullptr;
  auto bound = environment.recycler->make_bound();
  bound->statement =
      environment.statements->intern(text, {}, rules, environment.analyzer->analyze(text, rules));
  bound->values = call.values;
  return read_parameters(*bound, environment.recycler->bound_values) ? bound : nullptr;
}

}  // namespace helios::session
