// SPDX-License-Identifier: Apache-2.0
#include "cli/request_report.hpp"

#include "base/rfc3339.hpp"
#include "cli/json_answer.hpp"
#include "cli/shown.hpp"

#include <boost/json/array.hpp>

#include <string_view>

namespace helios::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t kLabelWidth = 13;

class Report {
 public:
  Report(const FoundRequest& found, const FoundDecision& decision)
      : found_(found), decision_(decision), fields_(fields_of(found)) {}

  std::string text(const std::string& request) {
    line("request", request);
    if (has_intent()) print_intent();
    if (found_.statement.outcome) print_outcome();
    if (found_.statement.settlement)
      line("settlement", shown(field("settlement")) + place_of(*found_.statement.settlement));
    if (decision_.record) print_decision(*decision_.record);
    say_what_is_unknown();
    return std::move(out_);
  }

 private:
  static json::object fields_of(const FoundRequest& found) {
    Statement statement = found.statement;
    if (statement.intent.bytes.empty()) statement.intent.bytes = "{}";
    auto fields = to_object(statement);
    return fields ? *std::move(fields) : json::object();
  }

  [[nodiscard]] bool has_intent() const { return !found_.statement.intent.bytes.empty(); }
  [[nodiscard]] std::string_view field(std::string_view name) const {
    return view_of(fields_, name);
  }
  [[nodiscard]] std::int64_t number(std::string_view name) const {
    return number_of(fields_, name).value_or(0);
  }

  void line(std::string_view label, std::string_view text) {
    out_ += label;
    out_ += std::string(kLabelWidth - label.size(), ' ');
    out_ += text;
    out_ += '\n';
  }
  void line_if(std::string_view label, std::string_view text) {
    if (!text.empty()) line(label, shown(text));
  }
  void unknown(const std::string& text) { line("not known", text); }

  static std::string place_of(const kv::StreamRecord& record) {
    return ", at " + base::to_rfc3339(record.time_ms) + ", record " + std::to_string(record.number);
  }

  void print_text(std::string_view label, std::string_view prefix) {
    const std::string name(prefix);
    line(label, std::to_string(number(name + "_bytes")) + " bytes, SHA-256 " +
                    shown(field(name + "_sha256")));
    out_ += shown_lines(field(prefix), "    ");
  }

  void print_intent() {
    const kv::StreamRecord& intent = found_.statement.intent;
    line("began", base::to_rfc3339(intent.time_ms) + ", record " + std::to_string(intent.number));
    std::string who;
    for (const std::string_view name :
         {"user", "database", "tenant", "agent", "application", "client"}) {
      const std::string_view value = field(name);
      who += (who.empty() ? "" : ", ") + std::string(name) + " " +
             (value.empty() ? "-" : shown(value));
    }
    line("asked by", who);
    line_if("session", field("session"));
    line_if("fingerprint", field("fingerprint"));
    print_text("statement", "text");
    line_if("by EXECUTE", field("execute"));
    print_parameters();
  }

  void print_parameters() {
    const json::value* list = fields_.if_contains("parameters");
    if (list == nullptr || !list->is_array()) return;
    std::size_t index = 0;
    for (const json::value& each : list->get_array()) {
      const std::string label = "$" + std::to_string(++index);
      if (!each.is_object()) {
        line(label, "NULL");
        continue;
      }
      const json::object& parameter = each.get_object();
      line(label, "type " + std::to_string(number_of(parameter, "type").value_or(0)) + ", " +
                      shown(view_of(parameter, "format")) + ", " +
                      std::to_string(number_of(parameter, "bytes").value_or(0)) +
                      " bytes: " + shown(view_of(parameter, "start")));
    }
    const json::value* more = fields_.if_contains("more_parameters");
    if (more != nullptr && more->is_object())
      line("$" + std::to_string(index + 1) + "...",
           std::to_string(number_of(more->get_object(), "count").value_or(0)) + " more, SHA-256 " +
               shown(view_of(more->get_object(), "sha256")));
  }

  void print_outcome() {
    line("outcome", outcome_of(fields_) + place_of(*found_.statement.outcome));
    line_if("error", field("error"));
    line_if("tag", field("tag"));
    if (!field("ran_sha256").empty()) print_text("ran instead", "ran");
  }

  void print_decision(const json::object& decision) {
    const auto of = [&decision](std::string_view name) { return shown(view_of(decision, name)); };
    line("decision", "refused (" + of("sqlstate") + ") by " + of("plugin") + " (" +
                         of("decided_by") + "), at " + of("time"));
    for (const std::string_view name : {"reason", "detail", "hint", "fault"})
      line_if(name, view_of(decision, name));
    if (has_intent()) return;
    line("of", "user " + of("user") + ", database " + of("database") + ", tenant " + of("tenant") +
                   ", application " + of("application_name") + ", client " + of("client"));
    line_if("kind", view_of(decision, "statement_kind"));
    line_if("fingerprint", view_of(decision, "fingerprint"));
  }

  void say_what_is_unknown() {
    if (!has_intent()) say_why_no_intent();
    const std::string up_to = "the trail has none up to record " + std::to_string(found_.newest);
    if (has_intent() && !found_.statement.outcome)
      unknown("its outcome: " + up_to + ", so it is under way, or was when the proxy ended");
    if (found_.statement.outcome && !found_.statement.settlement)
      unknown("its settlement: " + up_to +
              ", so its transaction is under way, or was when the proxy ended");
    say_what_nobody_knows();
    if (field("outcome") == "refused" && !decision_.record)
      unknown("who refused it and why, beyond the error: " + decision_.why_not);
    const auto recorded = static_cast<std::int64_t>(field("text").size());
    if (has_intent() && number("text_bytes") > recorded)
      unknown("the rest of the text: the trail has its first " + std::to_string(recorded) +
              " bytes, and the SHA-256 of all");
  }

  void say_what_nobody_knows() {
    if (field("outcome") == "lost")
      unknown("whether it ran: the connection ended before the server had answered");
    if (field("outcome") == "unknown")
      unknown("whether it ran: it may have, and no answer of the server tells");
    if (field("settlement") == "unknown")
      unknown("whether it lasted: no answer of the server tells how its transaction ended");
  }

  void say_why_no_intent() {
    if (!found_.has_trail)
      return unknown("who, what and what became of it: there is no trail here");
    std::string text = "who, what and what became of it: the trail has no intent since " +
                       base::to_rfc3339(found_.since_ms);
    text += found_.is_oldest ? ", where its oldest record is" : "; --since looks further back";
    if (decision_.record && view_of(*decision_.record, "decided_by") != "verdict")
      text += ". What the proxy itself refuses may reach no hook, and leaves no record then";
    unknown(text);
  }

  const FoundRequest& found_;
  const FoundDecision& decision_;
  const json::object fields_;
  std::string out_;
};

}  // namespace

std::string report_of(const std::string& request, const FoundRequest& found,
                      const FoundDecision& decision) {
  return Report(found, decision).text(request);
}

}  // namespace helios::cli
