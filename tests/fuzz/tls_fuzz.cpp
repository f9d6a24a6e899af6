// SPDX-License-Identifier: Apache-2.0
//
// A TLS connection and somebody on the way, who cuts, changes, doubles, drops and adds what passes. Whatever he does: what is
// heard is a beginning of what was said, and a handshake that he has touched leads to nothing.
// Input: decisions, a byte each: what is done next, and to which byte.

#include "fuzz/support/fuzz.hpp"
#include "support/temporary_folder.hpp"
#include "support/tls_peer.hpp"
#include "tls/channel.hpp"
#include "tls/client_context.hpp"
#include "tls/server_context.hpp"

#include <memory>
#include <optional>
#include <string>

namespace helios::fuzz {
namespace {

// Certificates cost time: one for all inputs.
struct Contexts {
  test::TemporaryFolder folder;
  config::CertificateFiles files = test::make_certificate(folder.path(), "server");
  tls::SharedServerContext server;
  tls::SharedClientContext client;

  Contexts() {
    config::Tls settings;
    settings.certificates = {files};
    server = *tls::ServerContext::load(settings, "postgresql");
    config::ServerTls towards;
    towards.mode = config::ServerTlsMode::verify_full;
    towards.root_certificate.path = files.certificate;
    client = *tls::ClientContext::load(towards, "postgresql");
  }
};
const Contexts& contexts() {
  static const Contexts made;
  return made;
}

class Wire {
 public:
  explicit Wire(bool is_server)
      : channel_(is_server ? contexts().server->open() : contexts().client->open("localhost"),
                 work_),
        peer_(is_server
                  ? test::TlsPeerOptions{.protocols = {"postgresql"}}
                  : test::TlsPeerOptions{
                        .protocols = {"postgresql"}, .own = contexts().files, .is_server = true}) {
    peer_.hear({});
    bring({});
  }

  void act(Input& input) {
    const std::uint8_t what = input.take_byte();
    const std::size_t at = input.take_byte();
    to_channel_ += peer_.take();
    switch (what % 9) {
      case 0:
      case 1: bring(take(to_channel_, to_channel_.size())); break;
      case 2: bring(take(to_channel_, at + 1)); break;
      case 3: peer_.hear(take(to_peer_, to_peer_.size())); break;
      case 4: say(at); break;
      case 5: touch(at, [&] { to_channel_[at % to_channel_.size()] ^= 1; }); break;
      case 6: touch(at, [&] { to_channel_.erase(at % to_channel_.size(), 1 + at / 16); }); break;
      case 7: touch(at, [&] { to_channel_ += to_channel_.substr(at % to_channel_.size()); }); break;
      case 8: to_channel_ += input.take_bytes(at % 32); break;
    }
  }
  void finish() {
    for (int turn = 0; turn < 6; ++turn) {
      to_channel_ += peer_.take();
      bring(take(to_channel_, to_channel_.size()));
      peer_.hear(take(to_peer_, to_peer_.size()));
    }
    check();
  }

 private:
  template <typename Touch>
  void touch(std::size_t, Touch how) {
    if (to_channel_.empty()) return;
    how();
  }
  static std::string take(std::string& from, std::size_t count) {
    std::string taken = from.substr(0, count);
    from.erase(0, count);
    return taken;
  }
  void say(std::size_t count) {
    if (peer_.is_established() && peer_.error().empty()) {
      said_.append(count, static_cast<char>('a' + said_.size() % 26));
      if (count > 0) peer_.say(std::string_view(said_).substr(said_.size() - count));
    }
    channel_.write("an answer");
    collect();
  }
  void bring(const std::string& bytes) {
    std::string_view rest(bytes);
    while (true) {
      const auto step = channel_.step(rest);
      collect();
      if (step == tls::Channel::Step::data) {
        heard_ += channel_.plaintext();
        continue;
      }
      if (step == tls::Channel::Step::established) continue;
      if (step == tls::Channel::Step::failed)
        require(!channel_.error().empty(), "a reason why it has failed");
      break;
    }
    check();
  }
  void collect() { to_peer_ += std::exchange(work_.ciphertext, {}); }
  void check() const { require(said_.starts_with(heard_), "what is heard was said"); }

  tls::Work work_{};
  tls::Channel channel_;
  test::TlsPeer peer_;
  std::string to_channel_;  // on the way, where somebody reaches it
  std::string to_peer_;
  std::string said_;
  std::string heard_;
};

}  // namespace
}  // namespace helios::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace helios::fuzz;
  Input input(text_of(data, size));
  Wire wire(input.take_byte() % 2 == 0);
  while (!input.empty()) wire.act(input);
  wire.finish();
  return 0;
}
