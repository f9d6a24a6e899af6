// SPDX-License-Identifier: Apache-2.0
//
// The admin server on a real socket. Whatever bytes a client sends, all that comes back are complete
// responses, the connection ends when the client has ended, and somebody else is served meanwhile.
// Input: a byte that says where the bytes are cut in two, then the bytes of one connection.

#include "admin/http/server.hpp"
#include "admin/router.hpp"
#include "fuzz/support/fuzz.hpp"
#include "kv/memory_store.hpp"
#include "support/capture_log.hpp"
#include "support/fake_clock.hpp"
#include "unit/admin/fake_control.hpp"
#include "unit/admin/http/requests.hpp"
#include "unit/net/net_support.hpp"

#include <charconv>
#include <memory>

namespace helios::fuzz {
namespace {

constexpr timeval kReceiveTimeout{.tv_sec = 60, .tv_usec = 0};

admin::http::Limits limits() {
  admin::http::Limits limits;
  limits.max_header_bytes = 512;
  limits.max_body_bytes = 256;
  return limits;
}

class AdminServer {
 public:
  AdminServer() {
    keep_alarms_out();
    const auto started = server_.start(admin::http::any_port(), nullptr,
                                       [this](admin::Request request, admin::Responder respond) {
                                         router_.handle(std::move(request), std::move(respond));
                                       });
    require(started.has_value(), "a server");
  }
  ~AdminServer() = delete;  // its thread runs until the process ends

  // Sends the parts and says that this was all; returns what comes until the server ends too.
  std::string talk(std::string_view first, std::string_view second = {}) {
    const net::Fd client = net::connect_blocking(*net::tcp_endpoint(server_.addresses().front()));
    ::setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &kReceiveTimeout, sizeof(kReceiveTimeout));
    for (const std::string_view part : {first, second}) {
      // A server that has refused already may be gone.
      if (!part.empty()) ::send(client.get(), part.data(), part.size(), MSG_NOSIGNAL);
    }
    ::shutdown(client.get(), SHUT_WR);
    std::string answer;
    std::array<char, 4096> bytes;
    while (true) {
      const ssize_t received = ::recv(client.get(), bytes.data(), bytes.size(), 0);
      require(received >= 0 || errno != EAGAIN, "the connection ends when the client has ended");
      if (received <= 0) return answer;
      answer.append(bytes.data(), static_cast<std::size_t>(received));
    }
  }

  void forget() { log_.clear(); }

 private:
  test::CaptureLog log_;
  test::FakeClock clock_;
  kv::MemoryStore store_{kv::Limits{}, clock_};
  admin::FakeControl control_;
  admin::http::Server server_{log_, limits()};
  admin::AccessGuard access_{log_, clock_, std::make_shared<const admin::TokenSet>()};
  admin::Router router_{store_, control_, server_.executor(), access_, 1};
};

std::size_t content_length(std::string_view head) {
  constexpr std::string_view kName = "\r\nContent-Length: ";
  const std::size_t at = head.find(kName);
  if (at == std::string_view::npos) return 0;
  std::size_t length = 0;
  const std::string_view digits = head.substr(at + kName.size());
  std::from_chars(digits.data(), digits.data() + digits.size(), length);
  return length;
}

// One response after the other. A client that was cut off may miss the end of the last.
void check_responses(std::string_view answer) {
  while (!answer.empty()) {
    const std::size_t end = answer.find("\r\n\r\n");
    if (end == std::string_view::npos) return;
    const std::string_view head = answer.substr(0, end);
    require(head.starts_with("HTTP/1.1 ") || head.starts_with("HTTP/1.0 "),
            "a status line: " + std::string(head));
    require(head[9] >= '1' && head[9] <= '5', "a status: " + std::string(head));
    answer.remove_prefix(end + 4);
    // HEAD has a length without a body.
    if (!answer.starts_with("HTTP/1.")) {
      answer.remove_prefix(std::min(content_length(head), answer.size()));
    }
  }
}

AdminServer& server() {
  static auto* const server = new AdminServer;
  return *server;
}

}  // namespace
}  // namespace helios::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace helios::fuzz;
  abort_on_failed_expectations();
  Input input(text_of(data, size));
  const std::size_t cut = input.take_byte();
  const std::string_view bytes = input.rest();
  check_responses(server().talk(bytes.substr(0, cut), bytes.substr(std::min(cut, bytes.size()))));
  const std::string health =
      server().talk("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  require(health.starts_with("HTTP/1.1 200"), "somebody else is served: " + health);
  server().forget();
  return 0;
}
