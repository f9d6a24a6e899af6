// SPDX-License-Identifier: Apache-2.0
//
// What a server speaks TLS with: files that are right, and what is said of those that are not. Everything names the place
// in the configuration and the file, and asks nobody for a passphrase.

#include "tls/server_context.hpp"

#include "support/temporary_folder.hpp"
#include "support/tls_peer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include <sys/stat.h>

namespace helios::tls {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class ServerContextFiles : public testing::Test {
 protected:
  config::CertificateFiles make(const std::string& name, const test::CertificateWish& wish = {}) {
    auto files = test::make_certificate(folder_.path(), name, wish);
    files.certificate_origin = "h.toml:1: tls.certificate";
    files.key_origin = "h.toml:2: tls.key";
    return files;
  }
  static void write(const std::string& path, const std::string& text) {
    std::ofstream(path) << text;
    ::chmod(path.c_str(), 0600);
  }
  static std::string content(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // "no error", or what is wrong.
  static std::string error_of(const config::CertificateFiles& files) {
    config::Tls settings;
    settings.certificates = {files};
    return error_of(settings);
  }
  static std::string error_of(const config::Tls& settings) {
    const auto loaded = ServerContext::load(settings, "postgresql");
    return loaded ? "no error" : loaded.error().message;
  }

  test::TemporaryFolder folder_;
};

TEST_F(ServerContextFiles, those_that_are_right_are_read) {
  EXPECT_EQ(error_of(make("right")), "no error");
}

TEST_F(ServerContextFiles, missing_ones_are_named) {
  auto files = make("right");
  auto without_certificate = files;
  without_certificate.certificate = folder_.path() + "/none.crt";
  EXPECT_EQ(error_of(without_certificate),
            "h.toml:1: tls.certificate: " + folder_.path() +
                "/none.crt: cannot be opened: No such file or directory");
  files.key = folder_.path() + "/none.key";
  EXPECT_EQ(error_of(files), "h.toml:2: tls.key: " + folder_.path() +
                                 "/none.key: cannot be opened: No such file or directory");
}

TEST_F(ServerContextFiles, rubbish_is_no_certificate_and_no_key) {
  auto files = make("right");
  const std::string pem = content(files.certificate);
  for (const std::string& text :
       {std::string(), std::string("rubbish"), pem.substr(0, pem.size() / 2)}) {
    write(files.certificate, text);
    EXPECT_THAT(error_of(files), StartsWith("h.toml:1: tls.certificate: " + files.certificate +
                                            ": is no PEM certificate: "))
        << text;
  }
  write(files.certificate, pem);
  write(files.key, "rubbish");
  EXPECT_THAT(error_of(files), StartsWith("h.toml:2: tls.key: " + files.key +
                                          ": is no PEM key without a passphrase: "));
}

TEST_F(ServerContextFiles, chain_that_breaks_off_is_no_chain) {
  auto files = make("right");
  const std::string pem = content(files.certificate);
  write(files.certificate, pem + content(make("next").certificate));
  EXPECT_EQ(error_of(files), "no error");
  write(files.certificate, pem + pem.substr(0, pem.size() / 2));
  EXPECT_THAT(error_of(files), HasSubstr("has a certificate in its chain that is none: "));
}

TEST_F(ServerContextFiles, key_of_another_certificate_does_not_fit) {
  auto files = make("one");
  files.key = make("other").key;
  EXPECT_EQ(error_of(files), "h.toml:2: tls.key: " + files.key +
                                 ": does not fit the certificate: key values mismatch");
}

TEST_F(ServerContextFiles, key_with_a_passphrase_is_refused_and_nobody_is_asked_for_it) {
  EXPECT_THAT(error_of(make("secret", {.passphrase = "long enough"})),
              HasSubstr("secret.key: is no PEM key without a passphrase: "));
}

TEST_F(ServerContextFiles, key_that_others_may_read_is_refused) {
  const auto files = make("open");
  ::chmod(files.key.c_str(), 0644);
  EXPECT_THAT(error_of(files), HasSubstr("open.key: others may read or write it"));
}

TEST_F(ServerContextFiles, words_that_are_no_ciphers_are_refused) {
  config::Tls settings;
  settings.certificates = {make("right")};
  settings.ciphers = "NO-SUCH";
  settings.ciphers_origin = "h.toml:3: tls.ciphers";
  EXPECT_EQ(error_of(settings), "h.toml:3: tls.ciphers: no cipher match");
  settings.ciphers.clear();
  settings.tls13_ciphers = "NO-SUCH";
  settings.tls13_ciphers_origin = "h.toml:4: tls.tls13_ciphers";
  EXPECT_EQ(error_of(settings), "h.toml:4: tls.tls13_ciphers: no cipher match");
}

TEST_F(ServerContextFiles, certificates_outside_their_time_are_used_and_told) {
  config::Tls settings;
  settings.certificates = {make("now"), make("old", {.valid_to_s = -60}),
                           make("next", {.valid_from_s = 3600})};
  const auto loaded = ServerContext::load(settings, "");
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_THAT((*loaded)->warnings(),
              ElementsAre(folder_.path() + "/old.crt: the certificate has expired",
                          folder_.path() + "/next.crt: the certificate is not valid yet"));
}

TEST_F(ServerContextFiles, sharing_keeps_it_alive) {
  config::Tls settings;
  settings.certificates = {make("right")};
  auto loaded = ServerContext::load(settings, "");
  ASSERT_TRUE(loaded);
  const ContextPtr shared = (*loaded)->share();
  loaded->reset();
  EXPECT_NE(shared, nullptr);
}

}  // namespace
}  // namespace helios::tls
