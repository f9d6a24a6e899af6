// SPDX-License-Identifier: Apache-2.0
#include "cli/stream_reader.hpp"

#include "admin/target.hpp"
#include "base/base64.hpp"
#include "base/rfc3339.hpp"
#include "cli/json_answer.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <charconv>
#include <utility>

namespace helios::cli {
namespace {

namespace json = boost::json;

std::unexpected<base::Error> bad_answer(std::string_view what) {
  return base::fail(base::Errc::invalid, "the answer: " + std::string(what));
}

base::Result<base::Sha256Digest> digest_of(const json::object& object, std::string_view name) {
  const std::string text = text_of(object, name);
  base::Sha256Digest digest{};
  if (text.size() != base::kSha256HexBytes) return bad_answer("there is no digest in it");
  for (std::size_t i = 0; i < digest.size(); ++i) {
    const char* pair = text.data() + 2 * i;
    const auto [end, error] = std::from_chars(pair, pair + 2, digest[i], 16);
    if (error != std::errc() || end != pair + 2) return bad_answer("a digest is none");
  }
  return digest;
}

base::Result<kv::RecordNumber> record_number_of(const json::object& object, std::string_view name) {
  const auto number = number_of(object, name);
  if (!number || *number < 1) return bad_answer("there is no \"" + std::string(name) + "\" in it");
  return static_cast<kv::RecordNumber>(*number);
}

base::Result<std::string> bytes_of(const json::object& object) {
  if (const json::value* text = object.if_contains("value"); text != nullptr && text->is_string())
    return text_of(object, "value");
  if (!object.contains("value_base64")) return bad_answer("a record has no value");
  return base::base64_decode(text_of(object, "value_base64"));
}

base::Result<kv::StreamRecord> record_of(const json::object& object) {
  const auto number = record_number_of(object, "number");
  if (!number) return std::unexpected(number.error());
  const auto time_ms = base::parse_rfc3339(text_of(object, "time"));
  if (!time_ms) return bad_answer("a record's time: " + time_ms.error().message);
  const auto digest = digest_of(object, "digest");
  if (!digest) return std::unexpected(digest.error());
  auto bytes = bytes_of(object);
  if (!bytes) return std::unexpected(bytes.error());
  return kv::StreamRecord{*number, *time_ms, *digest, *std::move(bytes)};
}

base::Result<void> read_records(const json::object& body, kv::StreamPage& page) {
  const json::value* records = body.if_contains("records");
  if (records == nullptr || !records->is_array()) return bad_answer("there are no records in it");
  for (const json::value& item : records->get_array()) {
    auto record = item.is_object() ? record_of(item.get_object()) : record_of({});
    if (!record) return std::unexpected(record.error());
    page.records.push_back(*std::move(record));
  }
  if (page.records.empty()) return {};
  const auto before = digest_of(body, "before");
  if (!before) return std::unexpected(before.error());
  page.before = *before;
  return {};
}

base::Result<AnsweredPage> page_of(const json::object& body) {
  AnsweredPage answer{.plugin = text_of(body, "plugin"), .page = {}};
  const auto first = record_number_of(body, "first");
  const auto next = record_number_of(body, "next");
  const auto next_from = record_number_of(body, "next_from");
  if (!first || !next || !next_from) return bad_answer("it is no page of a stream");
  answer.page.extent.first = *first;
  answer.page.extent.next = *next;
  answer.next_from = *next_from;
  if (auto read = read_records(body, answer.page); !read) return std::unexpected(read.error());
  return answer;
}

}  // namespace

std::string stream_target(std::string_view plugin, std::string_view stream) {
  std::string target = "/admin/streams/" + admin::percent_encode(plugin);
  if (!stream.empty()) target += '/' + admin::percent_encode(stream);
  return target;
}

base::Result<AnsweredPage> read_page(const AskAdmin& ask, std::string_view plugin,
                                     std::string_view stream, const kv::StreamRange& range) {
  admin::Request request;
  request.target = stream_target(plugin, stream) + "?from=" + std::to_string(range.from) +
                   "&limit=" + std::to_string(range.max_records) +
                   "&max_bytes=" + std::to_string(range.max_bytes);
  if (range.since_ms)
    request.target += "&since=" + admin::percent_encode(base::to_rfc3339(*range.since_ms));
  const auto response = checked(ask(request));
  if (!response) return std::unexpected(response.error());
  const auto body = parse_object(response->body);
  if (!body) return base::fail(base::Errc::invalid, "the answer " + body.error().message);
  return page_of(*body);
}

ReadPage page_reader(AskAdmin ask) {
  return [ask = std::move(ask)](std::string_view plugin, std::string_view stream,
                                const kv::StreamRange& range) {
    return read_page(ask, plugin, stream, range);
  };
}

}  // namespace helios::cli
