// SPDX-License-Identifier: Apache-2.0
//
// PROXY headers: whatever came before the last byte of one was none yet and not wrong either, what follows it changes nothing, and the
// address that it names is one.

#include "fuzz/support/fuzz.hpp"
#include "pgwire/proxy_header.hpp"

#include <array>

#include <arpa/inet.h>

namespace helios::fuzz {
namespace {

bool is_address(const std::string& text) {
  std::array<unsigned char, 16> bytes{};
  return inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
         inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

void check_header(std::string_view input, const pgwire::ProxyHeader& header) {
  require(header.bytes > 0 && header.bytes <= input.size(), "it is a part of the input");
  require(header.bytes <= pgwire::kMaxProxyHeaderBytes, "it is no longer than it may be");
  require(header.client_ip.empty() || is_address(header.client_ip), "an address, or none");
  const auto alone = pgwire::parse_proxy_header(input.substr(0, header.bytes));
  require(alone && *alone && (*alone)->bytes == header.bytes, "what follows does not count");
  require_equal((*alone)->client_ip, header.client_ip, "nor for the address");
  for (std::size_t cut = 0; cut < header.bytes; ++cut) {
    const auto part = pgwire::parse_proxy_header(input.substr(0, cut));
    require(part && !*part, "a part of it is none yet");
  }
}

// Once it is wrong it stays so, whatever comes.
void check_wrong(std::string_view input, const std::string& why) {
  const auto longer = pgwire::parse_proxy_header(std::string(input) + "\r\n");
  require(!longer, "more bytes do not mend it");
  require_equal(longer.error().message, why, "nor what is wrong");
}

}  // namespace
}  // namespace helios::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = helios::fuzz;
  const std::string_view input = fuzz::text_of(data, size);
  const auto header = helios::pgwire::parse_proxy_header(input);
  if (!header) {
    fuzz::check_wrong(input, header.error().message);
  } else if (*header) {
    fuzz::check_header(input, **header);
  } else {
    fuzz::require(size < helios::pgwire::kMaxProxyHeaderBytes, "it does not wait for ever");
  }
  return 0;
}
