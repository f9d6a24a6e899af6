// SPDX-License-Identifier: Apache-2.0
#include "cli/kv_command.hpp"

#include "admin/target.hpp"
#include "cli/json_answer.hpp"
#include "cli/one_line.hpp"
#include "cli/stream_command.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <fstream>
#include <istream>
#include <iterator>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helios::cli {
namespace {

namespace json = boost::json;
using admin::Method;
using admin::Request;
using admin::Response;

constexpr int kPreconditionFailed = 412;

base::Result<void> failed(std::string message) {
  return base::fail(base::Errc::invalid, std::move(message));
}

// The keys that the command line means.
base::Result<KvOptions> with_plain_keys(KvOptions options) {
  if (!options.is_encoded) return options;
  for (std::string* text : {&options.key, &options.prefix}) {
    auto plain = admin::percent_decode(*text);
    if (!plain) return base::fail(plain.error().code, *text + ": " + plain.error().message);
    *text = *std::move(plain);
  }
  return options;
}

class Command {
 public:
  Command(const KvOptions& options, const AskAdmin& ask, Console console, std::int64_t now_ms)
      : options_(options), ask_(ask), console_(std::move(console)), now_ms_(now_ms) {}

  base::Result<void> run() {
    switch (options_.verb) {
      case KvVerb::none: break;
      case KvVerb::get: return get();
      case KvVerb::put: return put();
      case KvVerb::del: return done(ask(Method::del, key_target()));
      case KvVerb::incr: return incr();
      case KvVerb::ls: return list();
      case KvVerb::stream: return run_stream(options_, ask_, console_, now_ms_);
      case KvVerb::dump: return dump();
      case KvVerb::load: return load();
      case KvVerb::stats: return stats();
      case KvVerb::purge: return purge();
      case KvVerb::backup: return back_up();
    }
    return failed("nothing to do");
  }

 private:
  [[nodiscard]] std::string key_target() const { return target_of(options_.plugin, options_.key); }

  base::Result<Response> ask(const Request& request) { return checked(ask_(request)); }

  base::Result<Response> ask(Method method, std::string target) {
    Request request;
    request.method = method;
    request.target = std::move(target);
    return ask(request);
  }

  base::Result<json::object> ask_json(Method method, std::string target) {
    const auto response = ask(method, std::move(target));
    if (!response) return std::unexpected(response.error());
    auto body = parse_object(response->body);
    if (!body) return base::fail(base::Errc::invalid, "the answer " + body.error().message);
    return body;
  }

  static base::Result<void> done(const base::Result<Response>& response) {
    if (!response) return std::unexpected(response.error());
    return {};
  }

  base::Result<void> get() {
    Request request;
    request.target = key_target();
    request.accept = "application/octet-stream";
    const auto response = ask(request);
    if (response) console_.out << response->body;
    return done(response);
  }

  // The whole of `options_.file`.
  base::Result<std::string> read_file() {
    std::ifstream file;
    if (options_.file != "-") {
      file.open(options_.file, std::ios::binary);
      if (!file) return base::fail(base::Errc::not_found, options_.file + ": cannot be opened");
    }
    std::istream& in = options_.file == "-" ? console_.in : file;
    return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }

  base::Result<void> put() {
    base::Result<std::string> value = options_.value ? *options_.value : read_file();
    if (!value) return std::unexpected(value.error());
    return done(ask(to_set(options_.plugin, options_.key, std::move(*value), options_.ttl_ms)));
  }

  Request to_set(std::string_view plugin, std::string_view key, std::string value,
                 std::int64_t ttl_ms) {
    Request request;
    request.method = Method::put;
    request.target = target_of(plugin, key);
    request.body = std::move(value);
    if (ttl_ms != 0) request.ttl_ms = std::to_string(ttl_ms);
    if (options_.if_absent) request.if_none_match = "*";
    if (options_.is_forced) request.force = "true";
    if (options_.makes_namespace) request.new_namespace = "true";
    return request;
  }

  base::Result<void> incr() {
    Request request;
    request.method = Method::post;
    request.target = key_target();
    request.body = json::serialize(json::object{{"increment", options_.increment}});
    if (options_.ttl_ms != 0) request.ttl_ms = std::to_string(options_.ttl_ms);
    if (options_.makes_namespace) request.new_namespace = "true";
    const auto response = ask(request);
    if (!response) return std::unexpected(response.error());
    const auto body = parse_object(response->body);
    if (body) console_.out << number_of(*body, "value").value_or(0) << '\n';
    return {};
  }

  base::Result<void> list() {
    return read_entries(ask_, options_.plugin, options_.prefix, [this](const Entry& entry) {
      console_.out << (options_.is_encoded ? admin::percent_encode(entry.key)
                                           : on_one_line(entry.key));
      if (options_.long_listing) print_details(entry);
      console_.out << '\n';
      return base::Result<void>();
    });
  }

  void print_details(const Entry& entry) {
    console_.out << "\tversion " << entry.version << '\t' << entry.value.size() << " bytes\t";
    if (entry.expires_at_ms != 0)
      console_.out << entry.expires_at_ms - now_ms_ << " ms left";
    else
      console_.out << "stays";
  }

  base::Result<std::vector<std::string>> all_plugins() {
    const auto state = ask_json(Method::get, "/admin/state");
    if (!state) return std::unexpected(state.error());
    std::vector<std::string> names;
    const json::value* namespaces = state->if_contains("namespaces");
    if (namespaces == nullptr || !namespaces->is_array())
      return base::fail(base::Errc::invalid, "the answer has no namespaces");
    for (const json::value& space : namespaces->get_array())
      if (space.is_object()) names.push_back(text_of(space.get_object(), "plugin"));
    return names;
  }

  base::Result<void> dump() {
    const base::Result<std::vector<std::string>> plugins =
        options_.plugins.empty() ? all_plugins() : options_.plugins;
    if (!plugins) return std::unexpected(plugins.error());
    for (const std::string& plugin : *plugins) {
      const auto written = read_entries(ask_, plugin, "", [this](const Entry& entry) {
        console_.out << export_line(entry) << '\n';
        return base::Result<void>();
      });
      if (!written) return written;
    }
    return {};
  }

  base::Result<void> load() {
    std::ifstream file;
    if (options_.file != "-") {
      file.open(options_.file, std::ios::binary);
      if (!file) return failed(options_.file + ": cannot be opened");
    }
    std::istream& in = options_.file == "-" ? console_.in : file;
    const auto done = read_export(in, [this](Entry entry) { return set(std::move(entry)); });
    if (!done) return done;
    console_.out << loaded_ << " set, " << left_alone_ << " left alone, " << expired_
                 << " expired\n";
    return {};
  }

  base::Result<void> set(Entry entry) {
    const std::int64_t ttl_ms = entry.expires_at_ms == 0 ? 0 : entry.expires_at_ms - now_ms_;
    if (entry.expires_at_ms != 0 && ttl_ms <= 0) {
      ++expired_;
      return {};
    }
    auto response = ask_(to_set(entry.plugin, entry.key, std::move(entry.value), ttl_ms));
    const bool is_there = response && response->status == kPreconditionFailed;
    ++(is_there ? left_alone_ : loaded_);
    return is_there ? base::Result<void>() : done(checked(std::move(response)));
  }

  base::Result<void> stats() {
    const auto state = ask_json(Method::get, "/admin/state");
    if (!state) return std::unexpected(state.error());
    const json::value* namespaces = state->if_contains("namespaces");
    if (namespaces != nullptr && namespaces->is_array())
      for (const json::value& space : namespaces->get_array())
        if (space.is_object())
          print_usage(text_of(space.get_object(), "plugin"), space.get_object());
    const json::value* total = state->if_contains("total");
    if (total != nullptr && total->is_object()) print_usage("(all)", total->get_object());
    const std::string problem = text_of(*state, "problem");
    return problem.empty() ? base::Result<void>() : failed("the store does not work: " + problem);
  }

  void print_usage(const std::string& name, const json::object& usage) {
    console_.out << name << '\t' << number_of(usage, "keys").value_or(0) << " keys\t"
                 << number_of(usage, "bytes").value_or(0) << " bytes\t"
                 << number_of(usage, "stream_bytes").value_or(0) << " bytes of streams\n";
  }

  base::Result<void> back_up() {
    Request request;
    request.method = Method::post;
    request.target = "/admin/state/backup";
    request.body = json::serialize(json::object{{"name", options_.name}});
    const auto response = ask(request);
    if (!response) return std::unexpected(response.error());
    const auto body = parse_object(response->body);
    if (body) console_.out << text_of(*body, "directory") << '\n';
    return {};
  }

  base::Result<void> purge() {
    if (options_.prefix.empty() && !options_.everything)
      return failed("say which keys: --prefix TEXT, or --all");
    const auto body = ask_json(Method::del, target_of(options_.plugin, "") + "?prefix=" +
                                                admin::percent_encode(options_.prefix));
    if (!body) return std::unexpected(body.error());
    console_.out << number_of(*body, "deleted").value_or(0) << " removed\n";
    return {};
  }

  const KvOptions& options_;
  const AskAdmin& ask_;
  Console console_;
  std::int64_t now_ms_;
  std::uint64_t loaded_ = 0;
  std::uint64_t left_alone_ = 0;
  std::uint64_t expired_ = 0;
};

}  // namespace

base::Result<void> run_kv(const KvOptions& options, const AskAdmin& ask, Console console,
                          std::int64_t now_ms) {
  const auto plain = with_plain_keys(options);
  if (!plain) return std::unexpected(plain.error());
  return Command(*plain, ask, std::move(console), now_ms).run();
}

}  // namespace helios::cli
