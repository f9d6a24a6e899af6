// SPDX-License-Identifier: Apache-2.0
#include "cli/kv_command.hpp"

#include "admin/base64.hpp"
#include "admin/target.hpp"
#include "base/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
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
constexpr std::size_t kMaxLineBytes = 16U << 20;

base::Result<void> failed(std::string message) {
  return base::fail(base::Errc::invalid, std::move(message));
}

std::string target_of(std::string_view plugin, std::string_view key) {
  return "/admin/kv/" + admin::percent_encode(plugin) + '/' + admin::percent_encode(key);
}

// A key on a line of its own.
std::string on_one_line(std::string_view key) {
  return base::is_valid_utf8(key) && key.find('\n') == std::string_view::npos
             ? std::string(key)
             : admin::percent_encode(key);
}

std::string text_of(const json::object& object, std::string_view name) {
  const json::value* field = object.if_contains(name);
  const json::string* text = field == nullptr ? nullptr : field->if_string();
  return text == nullptr ? std::string() : std::string(*text);
}

std::optional<std::int64_t> number_of(const json::object& object, std::string_view name) {
  const json::value* field = object.if_contains(name);
  if (field == nullptr || !field->is_number()) return std::nullopt;
  boost::system::error_code error;
  const auto number = field->to_number<std::int64_t>(error);
  return error ? std::nullopt : std::optional(number);
}

// What stands in `object` as text under `name`, or encoded under `encoded_name`.
base::Result<std::string> bytes_of(const json::object& object, std::string_view name,
                                   std::string_view encoded_name,
                                   base::Result<std::string> (*decode)(std::string_view)) {
  const json::value* plain = object.if_contains(name);
  if (plain != nullptr && plain->is_string()) return text_of(object, name);
  const json::value* encoded = object.if_contains(encoded_name);
  if (encoded != nullptr && encoded->is_string()) return decode(text_of(object, encoded_name));
  return base::fail(base::Errc::invalid, "there is no \"" + std::string(name) + "\" in it");
}

base::Result<json::object> parse_object(std::string_view text) {
  boost::system::error_code error;
  const json::value parsed = json::parse(text, error);
  if (error || !parsed.is_object()) return base::fail(base::Errc::invalid, "is not a JSON object");
  return parsed.get_object();
}

// One entry of a listing, or of a line of an export.
struct Entry {
  std::string key;
  std::string value;
  std::int64_t version = 0;
  std::int64_t expires_at_ms = 0;  // 0: never
};

base::Result<Entry> entry_of(const json::object& object) {
  auto key = bytes_of(object, "key", "key_percent_encoded", admin::percent_decode);
  if (!key) return std::unexpected(key.error());
  auto value = bytes_of(object, "value", "value_base64", admin::base64_decode);
  if (!value) return std::unexpected(value.error());
  return Entry{std::move(*key), std::move(*value), number_of(object, "version").value_or(0),
               number_of(object, "expires_at_ms").value_or(0)};
}

class Command {
 public:
  Command(const KvOptions& options, const AskAdmin& ask, Streams streams, std::int64_t now_ms)
      : options_(options), ask_(ask), streams_(streams), now_ms_(now_ms) {}

  base::Result<void> run() {
    switch (options_.verb) {
      case KvVerb::none: break;
      case KvVerb::get: return get();
      case KvVerb::put: return put();
      case KvVerb::del: return done(ask(Method::del, key_target()));
      case KvVerb::incr: return incr();
      case KvVerb::ls: return list();
      case KvVerb::dump: return dump();
      case KvVerb::load: return load();
      case KvVerb::stats: return stats();
      case KvVerb::purge: return purge();
    }
    return failed("nothing to do");
  }

 private:
  [[nodiscard]] std::string key_target() const { return target_of(options_.plugin, options_.key); }

  // An answer other than 2xx is an error with its text.
  static base::Result<Response> checked(base::Result<Response> response) {
    if (!response || response->status / 100 == 2) return response;
    const auto body = parse_object(response->body);
    const std::string text = body ? text_of(*body, "error") : std::string();
    return base::fail(base::Errc::invalid,
                      text.empty() ? "HTTP status " + std::to_string(response->status) : text);
  }

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
    if (response) streams_.out << response->body;
    return done(response);
  }

  // The whole of `options_.file`.
  base::Result<std::string> read_file() {
    std::ifstream file;
    if (options_.file != "-") {
      file.open(options_.file, std::ios::binary);
      if (!file) return base::fail(base::Errc::not_found, options_.file + ": cannot be opened");
    }
    std::istream& in = options_.file == "-" ? streams_.in : file;
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
    return request;
  }

  base::Result<void> incr() {
    Request request;
    request.method = Method::post;
    request.target = key_target();
    request.body = json::serialize(json::object{{"increment", options_.increment}});
    if (options_.ttl_ms != 0) request.ttl_ms = std::to_string(options_.ttl_ms);
    const auto response = ask(request);
    if (!response) return std::unexpected(response.error());
    const auto body = parse_object(response->body);
    if (body) streams_.out << number_of(*body, "value").value_or(0) << '\n';
    return {};
  }

  // Calls `use` with every entry, page after page.
  template <typename Use>
  base::Result<void> each_entry(std::string_view plugin, std::string_view prefix, Use use) {
    std::string next =
        target_of(plugin, "") + "?values=true&prefix=" + admin::percent_encode(prefix);
    while (!next.empty()) {
      const auto page = ask_json(Method::get, std::move(next));
      if (!page) return std::unexpected(page.error());
      const json::value* entries = page->if_contains("entries");
      if (entries == nullptr || !entries->is_array()) return failed("the answer has no entries");
      for (const json::value& item : entries->get_array()) {
        if (!item.is_object()) return failed("the answer has something else among its entries");
        const auto entry = entry_of(item.get_object());
        if (!entry) return failed("the answer: " + entry.error().message);
        use(*entry);
      }
      next = text_of(*page, "next");
    }
    return {};
  }

  base::Result<void> list() {
    return each_entry(options_.plugin, options_.prefix, [this](const Entry& entry) {
      streams_.out << on_one_line(entry.key);
      if (options_.long_listing) {
        streams_.out << "\tversion " << entry.version << '\t' << entry.value.size() << " bytes\t";
        if (entry.expires_at_ms != 0)
          streams_.out << entry.expires_at_ms - now_ms_ << " ms left";
        else
          streams_.out << "stays";
      }
      streams_.out << '\n';
    });
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
      const auto written = each_entry(plugin, "", [this, &plugin](const Entry& entry) {
        json::object line{{"plugin", plugin}};
        if (base::is_valid_utf8(entry.key))
          line["key"] = entry.key;
        else
          line["key_percent_encoded"] = admin::percent_encode(entry.key);
        if (base::is_valid_utf8(entry.value))
          line["value"] = entry.value;
        else
          line["value_base64"] = admin::base64_encode(entry.value);
        if (entry.expires_at_ms != 0) line["expires_at_ms"] = entry.expires_at_ms;
        streams_.out << json::serialize(line) << '\n';
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
    std::istream& in = options_.file == "-" ? streams_.in : file;
    std::size_t number = 0;
    for (std::string line; std::getline(in, line);) {
      ++number;
      if (line.empty()) continue;
      const auto loaded =
          line.size() > kMaxLineBytes ? failed("is longer than 16 MiB") : load_line(line);
      if (!loaded) return failed("line " + std::to_string(number) + ": " + loaded.error().message);
    }
    streams_.out << loaded_ << " set, " << left_alone_ << " left alone, " << expired_
                 << " expired\n";
    return {};
  }

  base::Result<void> load_line(const std::string& line) {
    const auto object = parse_object(line);
    if (!object) return std::unexpected(object.error());
    auto entry = entry_of(*object);
    if (!entry) return std::unexpected(entry.error());
    const std::string plugin = text_of(*object, "plugin");
    if (plugin.empty()) return failed("there is no \"plugin\" in it");
    const std::int64_t ttl_ms = entry->expires_at_ms == 0 ? 0 : entry->expires_at_ms - now_ms_;
    if (ttl_ms < 0 || (ttl_ms == 0 && entry->expires_at_ms != 0)) {
      ++expired_;
      return {};
    }
    auto response = ask_(to_set(plugin, entry->key, std::move(entry->value), ttl_ms));
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
    streams_.out << name << '\t' << number_of(usage, "keys").value_or(0) << " keys\t"
                 << number_of(usage, "bytes").value_or(0) << " bytes\n";
  }

  base::Result<void> purge() {
    if (options_.prefix.empty() && !options_.everything)
      return failed("say which keys: --prefix TEXT, or --all");
    const auto body = ask_json(Method::del, target_of(options_.plugin, "") + "?prefix=" +
                                                admin::percent_encode(options_.prefix));
    if (!body) return std::unexpected(body.error());
    streams_.out << number_of(*body, "deleted").value_or(0) << " removed\n";
    return {};
  }

  const KvOptions& options_;
  const AskAdmin& ask_;
  Streams streams_;
  std::int64_t now_ms_;
  std::uint64_t loaded_ = 0;
  std::uint64_t left_alone_ = 0;
  std::uint64_t expired_ = 0;
};

}  // namespace

base::Result<void> run_kv(const KvOptions& options, const AskAdmin& ask, Streams streams,
                          std::int64_t now_ms) {
  return Command(options, ask, streams, now_ms).run();
}

}  // namespace helios::cli
