// SPDX-License-Identifier: Apache-2.0
#include "session/rebind.hpp"

#include "base/byte_writer.hpp"
#include "pgwire/extended.hpp"
#include "sql/parameters.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace helios::session {
namespace {

constexpr std::int32_t kTextType = 25;  // pg_type.oid

std::string types_of(const BoundStatement& bound, const std::vector<std::size_t>& used) {
  std::string out;
  const std::size_t count = used.empty() ? 0 : used.back();
  base::append_i16(out, static_cast<std::int16_t>(count));
  for (std::size_t number = 1; number <= count; ++number) {
    const std::uint32_t declared = pgwire::parameter_type(bound.statement->types, number - 1);
    const bool is_used = std::ranges::binary_search(used, number);
    const bool is_free = declared == 0 && !is_used;
    base::append_i32(out, is_free ? kTextType : static_cast<std::int32_t>(declared));
  }
  return out;
}

std::string values_of(const BoundStatement& bound, std::size_t count) {
  std::string out;
  count = std::min(count, bound.parameters.size());
  base::append_i16(out, static_cast<std::int16_t>(count));
  for (std::size_t i = 0; i < count; ++i) {
    base::append_i16(out, bound.parameters[i].is_binary ? 1 : 0);
  }
  base::append_i16(out, static_cast<std::int16_t>(count));
  for (std::size_t i = 0; i < count; ++i) {
    const auto& value = bound.parameters[i].value;
    base::append_i32(out, value ? static_cast<std::int32_t>(value->size()) : -1);
    if (value) out.append(*value);
  }
  return out;
}

}  // namespace

bool read_parameters(BoundStatement& bound, std::vector<pgwire::BoundValue>& values) {
  if (!pgwire::read_values(bound.values, values)) return false;
  bound.parameters.clear();
  bound.parameters.reserve(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    bound.parameters.push_back({.type_oid = pgwire::parameter_type(bound.statement->types, i),
                                .is_binary = values[i].is_binary,
                                .value = values[i].value});
  }
  return true;
}

Rebinding rebind(const BoundStatement& bound, std::string_view text) {
  const std::vector<std::size_t> used =
      sql::parameters_in(text, bound.statement->rules.standard_conforming_strings);
  return {.types = types_of(bound, used),
          .values = values_of(bound, used.empty() ? 0 : used.back()),
          .formats = bound.formats};
}

}  // namespace helios::session
