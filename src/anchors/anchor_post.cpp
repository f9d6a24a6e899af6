// SPDX-License-Identifier: Apache-2.0
#include "anchors/anchor_post.hpp"

#include "config/secret_file.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <memory>

namespace helios::anchors {
namespace {

using Handle = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using Headers = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

// Of a body nothing is taken, which ends the transfer.
std::size_t refuse(char* /*bytes*/, std::size_t /*size*/, std::size_t /*count*/,
                   void* /*nothing*/) {
  return 0;
}

std::string part_of(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return {};
  std::string copy = text;
  curl_free(text);
  return copy;
}

// Empty: none is wanted.
base::Result<std::string> read_token(const std::string& path) {
  constexpr std::size_t kMostBytes = 4096;
  if (path.empty()) return std::string();
  auto text = config::read_secret_file(path, kMostBytes);
  if (!text) return text;
  std::string token = text->substr(0, text->find_last_not_of("\r\n") + 1);
  const bool is_one_word =
      !token.empty() && std::ranges::all_of(token, [](char c) { return c > ' ' && c < 127; });
  if (!is_one_word) return base::fail(base::Errc::invalid, path + ": holds no token");
  return token;
}

Headers make_headers(const std::string& token) {
  Headers headers(curl_slist_append(nullptr, "Content-Type: application/json"),
                  curl_slist_free_all);
  if (!token.empty()) {
    const std::string line = "Authorization: Bearer " + token;
    if (headers) static_cast<void>(curl_slist_append(headers.get(), line.c_str()));
  }
  return headers;
}

std::unexpected<base::Error> cannot(const PostTarget& target, const std::string& why) {
  return base::fail(base::Errc::unavailable, shown_url(target.url) + ": " + why);
}

}  // namespace

base::Result<void> check_url(const std::string& url) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), curl_url_cleanup);
  if (!parsed || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK ||
      part_of(parsed.get(), CURLUPART_SCHEME) != "https" ||
      part_of(parsed.get(), CURLUPART_HOST).empty())
    return base::fail(base::Errc::invalid, "must be an address such as https://host/path");
  if (!part_of(parsed.get(), CURLUPART_USER).empty() ||
      !part_of(parsed.get(), CURLUPART_PASSWORD).empty())
    return base::fail(base::Errc::invalid,
                      "must not hold a user or a password, which logs would show: use token_file");
  return {};
}

std::string shown_url(const std::string& url) {
  const std::size_t end = url.find_first_of("?#");
  return end == std::string::npos ? url : url.substr(0, end) + "?...";
}

void prepare_to_post() { curl_global_init(CURL_GLOBAL_DEFAULT); }

base::Result<void> post_json(const PostTarget& target, std::string_view body) {
  const auto token = read_token(target.token_file);
  if (!token) return std::unexpected(token.error());
  const Handle handle(curl_easy_init(), curl_easy_cleanup);
  const Headers headers = make_headers(*token);
  if (!handle || !headers) return cannot(target, "no memory");
  CURL* curl = handle.get();
  char details[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, details);
  curl_easy_setopt(curl, CURLOPT_URL, target.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);  // there are other threads
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(target.timeout_ms));
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "heliosproxy");
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, refuse);
  // A name server that does not answer holds nobody up beyond the time limit.
  curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
  if (!target.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, target.ca_file.c_str());
  const CURLcode code = curl_easy_perform(curl);
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  if (code != CURLE_OK && status < 200)
    return cannot(target, details[0] == '\0' ? curl_easy_strerror(code) : details);
  if (status < 200 || status > 299)
    return cannot(target, "answered with status " + std::to_string(status));
  return {};
}

}  // namespace helios::anchors
