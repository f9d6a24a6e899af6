// SPDX-License-Identifier: Apache-2.0
//
// SET and set_config(): statements are written in every spelling from changes that are known, and
// parse() must find just these. What they do to a session's settings is compared with a model that
// copies everything at every BEGIN and SAVEPOINT.
// Input: a byte (bit 0: standard_conforming_strings off), then bytes that choose the statements, with
// the values as lines between them.

#include "fuzz/support/fuzz.hpp"
#include "fuzz/support/spelling.hpp"
#include "session/query_run.hpp"
#include "session/settings.hpp"
#include "sql/analyzer.hpp"

#include <map>
#include <optional>
#include <vector>

namespace helios::fuzz {
namespace {

using Kind = sql::SettingChange::Kind;
using Op = sql::TransactionOp;
using Map = session::Settings::Map;

constexpr std::size_t kMaxStatements = 24;

// What a statement is meant to do.
struct Meant {
  std::optional<sql::SettingChange> change;
  Op op = Op::none;
  std::string savepoint;
  bool is_chained = false;
};

class Writer {
 public:
  Writer(Input& input, bool conforming) : input_(input), spelling_(input, conforming) {}

  std::string text;
  std::vector<Meant> meant;

  void write_statement() {
    Meant next;
    switch (input_.take_below(16)) {
      case 0:
      case 1: next.change = set(Kind::set); break;
      case 2:
      case 3: next.change = set(Kind::set_local); break;
      case 4:
      case 5: next.change = set_config(); break;
      case 6: next.change = reset(Kind::reset); break;
      case 7: next.change = reset(Kind::reset_local_default); break;
      case 8: next.change = reset_all(); break;
      case 9: next.op = write(Op::begin, "begin", "start transaction read only"); break;
      case 10: next.op = write(Op::commit, "commit", "end work"); break;
      case 11: next.op = write(Op::rollback, "rollback", "abort"); break;
      case 12: next = savepoint(Op::savepoint, "savepoint"); break;
      case 13: next = savepoint(Op::release, "release savepoint"); break;
      case 14: next = savepoint(Op::rollback_to, "rollback to"); break;
      case 15: words({"show", spelling_.name("helios.a")}); break;
    }
    text += ";";
    meant.push_back(std::move(next));
  }

 private:
  void words(const std::vector<std::string>& list) {
    for (const std::string& word : list) text += word + spelling_.gap();
  }

  Op write(Op op, std::string first, std::string second) {
    words({input_.take_below(2) == 0 ? std::move(first) : std::move(second)});
    return op;
  }

  std::string choose_name() {
    static constexpr std::array<const char*, 3> kNames = {"helios.tenant_id", "helios.a",
                                                          "helios.agent_id"};
    return kNames[input_.take_below(kNames.size())];
  }

  std::string choose_value() {
    std::string value(input_.take_line());
    std::erase(value, '\0');
    return value;
  }

  sql::SettingChange set(Kind kind) {
    sql::SettingChange change{.kind = kind, .name = choose_name(), .value = choose_value()};
    words({"SET"});
    if (kind == Kind::set_local) words({"LOCAL"});
    if (kind == Kind::set && input_.take_below(2) == 1) words({"SESSION"});
    words({spelling_.name(change.name), input_.take_below(2) == 0 ? "=" : "TO",
           spelling_.literal(change.value)});
    return change;
  }

  sql::SettingChange set_config() {
    const bool is_local = input_.take_below(2) == 1;
    sql::SettingChange change{.kind = is_local ? Kind::set_local : Kind::set,
                              .name = choose_name(),
                              .value = choose_value()};
    words({"select", input_.take_below(2) == 0 ? "set_config" : "pg_catalog.\"set_config\"", "(",
           spelling_.literal(change.name), ",", spelling_.literal(change.value), ",",
           is_local ? "true" : "FALSE", ")"});
    return change;
  }

  sql::SettingChange reset(Kind kind) {
    sql::SettingChange change{.kind = kind, .name = choose_name(), .value = {}};
    const std::string name = spelling_.name(change.name);
    if (kind == Kind::reset_local_default) {
      words({"set", "local", name, "to", "default"});
    } else if (input_.take_below(2) == 0) {
      words({"reset", name});
    } else {
      words({"set", name, "=", "DEFAULT"});
    }
    return change;
  }

  sql::SettingChange reset_all() {
    const bool is_discard = input_.take_below(2) == 1;
    words({is_discard ? "discard" : "reset", "all"});
    return {.kind = is_discard ? Kind::discard_all : Kind::reset_all, .name = {}, .value = {}};
  }

  Meant savepoint(Op op, std::string words_before) {
    Meant next;
    next.op = op;
    next.savepoint = input_.take_below(2) == 0 ? "s" : "t";
    words({std::move(words_before), next.savepoint});
    return next;
  }

  Input& input_;
  Spelling spelling_;
};

// The settings of a PostgreSQL session: `now` is what SHOW says, `kept` what a commit leaves.
class Model {
 public:
  explicit Model(Map start) : start_(start), state_{start, start} {}

  [[nodiscard]] bool in_block() const { return before_.has_value(); }
  [[nodiscard]] Map values() const {
    Map values = state_.now;
    std::erase_if(values, [](const auto& entry) { return entry.second.empty(); });
    return values;
  }

  void begin() {
    if (!before_) before_ = state_;
  }
  void commit() {
    if (before_) state_.now = state_.kept;
    leave();
  }
  void rollback() {
    if (before_) state_ = *before_;
    leave();
  }
  void savepoint(const std::string& name) { savepoints_.emplace_back(name, state_); }
  void release(const std::string& name) {
    if (const auto at = find(name)) savepoints_.resize(*at);
  }
  void rollback_to(const std::string& name) {
    const auto at = find(name);
    if (!at) return;
    state_ = savepoints_[*at].second;
    savepoints_.resize(*at + 1);
  }

  void apply(const sql::SettingChange& change) {
    switch (change.kind) {
      case Kind::set: state_.now[change.name] = state_.kept[change.name] = change.value; break;
      case Kind::set_local: state_.now[change.name] = change.value; break;
      case Kind::reset: state_.now[change.name] = state_.kept[change.name] = initial(change); break;
      case Kind::reset_local_default: state_.now[change.name] = initial(change); break;
      case Kind::reset_all:
      case Kind::discard_all: state_ = {start_, start_}; break;
      case Kind::unknown:
      case Kind::stored:
      case Kind::recalled:
      case Kind::bound: break;
    }
  }

 private:
  struct State {
    Map now;
    Map kept;
  };

  std::string initial(const sql::SettingChange& change) {
    const auto found = start_.find(change.name);
    return found == start_.end() ? std::string() : found->second;
  }
  void leave() {
    before_.reset();
    savepoints_.clear();
  }
  std::optional<std::size_t> find(const std::string& name) {
    for (std::size_t i = savepoints_.size(); i > 0; --i) {
      if (savepoints_[i - 1].first == name) return i - 1;
    }
    return std::nullopt;
  }

  Map start_;
  State state_;
  std::optional<State> before_;
  std::vector<std::pair<std::string, State>> savepoints_;
};

void check_statement(const sql::Statement& found, const Meant& meant, const std::string& text) {
  require(found.transaction == meant.op, "what it does to the transaction: " + text);
  require_equal(found.savepoint, meant.savepoint, "savepoint");
  require(found.settings.size() == (meant.change ? 1U : 0U), "as many changes: " + text);
  if (!meant.change) return;
  require(found.settings[0].kind == meant.change->kind, "kind of change: " + text);
  require_equal(found.settings[0].name, meant.change->name, "name");
  require_equal(found.settings[0].value, meant.change->value, "value");
}

// Each statement as a message of its own, which succeeds. False: the server would refuse it.
bool run(const Meant& meant, Model& model) {
  const bool needs_block =
      meant.op == Op::savepoint || meant.op == Op::release || meant.op == Op::rollback_to;
  const bool is_discard = meant.change && meant.change->kind == Kind::discard_all;
  if (model.in_block() ? is_discard : needs_block) return false;
  const bool is_alone = !model.in_block();
  if (is_alone) model.begin();
  if (meant.change) model.apply(*meant.change);
  switch (meant.op) {
    case Op::begin: return true;
    case Op::commit: model.commit(); break;
    case Op::rollback: model.rollback(); break;
    case Op::savepoint: model.savepoint(meant.savepoint); break;
    case Op::release: model.release(meant.savepoint); break;
    case Op::rollback_to: model.rollback_to(meant.savepoint); break;
    case Op::none:
    case Op::prepare:
    case Op::finish_prepared: break;
  }
  if (is_alone) model.commit();
  return true;
}

void check_session(const sql::Analysis& analysis, const std::vector<Meant>& meant) {
  const Map start = {{"helios.a", "first"}};
  Model model(start);
  session::Settings settings;
  settings.start({start.begin(), start.end()});
  for (std::size_t i = 0; i < meant.size(); ++i) {
    if (!run(meant[i], model)) continue;
    settings.begin();
    session::apply_statement(analysis.statements[i], false, settings);
    if (!model.in_block()) settings.commit();
    require(settings.values() == model.values(), "settings as in the model");
    require(settings.in_transaction() == model.in_block(), "in a transaction block");
  }
}

}  // namespace
}  // namespace helios::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace helios;
  using namespace helios::fuzz;
  Input input(text_of(data, size));
  const sql::ReadingRules rules{.standard_conforming_strings = (input.take_byte() & 1) == 0};
  Writer writer(input, rules.standard_conforming_strings);
  while (!input.empty() && writer.meant.size() < kMaxStatements) writer.write_statement();
  const auto analysis = sql::parse(writer.text, rules);
  require(analysis->parsed, "statements that the grammar accepts: " + writer.text);
  require(analysis->statements.size() == writer.meant.size(),
          "as many statements as written: " + writer.text);
  for (std::size_t i = 0; i < writer.meant.size(); ++i)
    check_statement(analysis->statements[i], writer.meant[i], writer.text);
  check_session(*analysis, writer.meant);
  return 0;
}
