// SPDX-License-Identifier: Apache-2.0
#include "sql/call_ranges.hpp"

#include <algorithm>
#include <span>

namespace helios::sql {
namespace {

constexpr char kNotLocated[] = "helios.kv() can't be used in this place";

// The tokens between a call's parentheses, cut at the commas that belong to the call.
struct ArgumentList {
  bool is_closed = false;
  std::size_t end = 0;  // behind the closing parenthesis
  std::vector<std::span<const Token>> arguments;
};

// `tokens` begins behind the opening parenthesis.
ArgumentList read_arguments(std::span<const Token> tokens) {
  ArgumentList list;
  std::size_t depth = 0;
  std::size_t start = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const Token& token = tokens[i];
    if (token.kind == Token::Kind::open) ++depth;
    const bool ends_call = token.kind == Token::Kind::close && depth == 0;
    if (ends_call || (token.kind == Token::Kind::comma && depth == 0)) {
      if (i > start) list.arguments.push_back(tokens.subspan(start, i - start));
      start = i + 1;
    }
    if (ends_call) {
      list.is_closed = true;
      list.end = token.end;
      return list;
    }
    if (token.kind == Token::Kind::close) --depth;
  }
  return list;
}

void fill_arguments(KvCall& call, const ArgumentList& list) {
  if (!list.is_closed || list.arguments.size() != call.arguments.size()) {
    call.problem = kNotLocated;
    return;
  }
  call.end = list.end;
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    call.arguments[i].begin = list.arguments[i].front().begin;
    call.arguments[i].end = list.arguments[i].back().end;
    if (list.arguments[i].front().kind == Token::Kind::all)
      call.problem = "helios.kv() does not take ALL";
  }
}

// A select list item that is nothing but the call may stand in parentheses; the name that it is given
// belongs behind them.
void take_parentheses_in(KvCall& call, const std::vector<Token>& tokens) {
  auto first = std::ranges::lower_bound(tokens, call.begin, {}, &Token::begin);
  auto behind = std::ranges::lower_bound(tokens, call.end, {}, &Token::begin);
  while (first != tokens.begin() && (first - 1)->kind == Token::Kind::open &&
         behind != tokens.end() && behind->kind == Token::Kind::close) {
    --first;
    call.begin = first->begin;
    call.end = behind->end;
    ++behind;
  }
}

}  // namespace

void fill_ranges(KvCall& call, bool is_lateral, const std::vector<Token>& tokens) {
  const auto name = std::ranges::lower_bound(tokens, call.begin, {}, &Token::begin);
  const auto open = std::ranges::find(name, tokens.end(), Token::Kind::open, &Token::kind);
  if (name == tokens.end() || name->begin != call.begin || open == tokens.end()) {
    call.problem = kNotLocated;
    return;
  }
  fill_arguments(call, read_arguments({open + 1, tokens.end()}));
  if (call.problem.empty() && call.form == KvCall::Form::scalar && !call.has_alias)
    take_parentheses_in(call, tokens);
  if (!is_lateral) return;
  if (name == tokens.begin() || (name - 1)->kind != Token::Kind::lateral)
    call.problem = kNotLocated;
  else
    call.begin = (name - 1)->begin;
}

}  // namespace helios::sql
