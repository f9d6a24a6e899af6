// SPDX-License-Identifier: Apache-2.0

#include "auth/host_rule_options.hpp"

#include <algorithm>
#include <vector>

namespace helios::auth {
namespace {

class OptionReader {
 public:
  OptionReader(HostRule& rule, RuleProblems& problems) : rule_(rule), problems_(problems) {}

  void read(const RuleToken& token) {
    const std::string_view text = token.text;
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) {
      problems_.add(token.place,
                    in_quotes(text) + ": an option must be written as name=value, without blanks");
      return;
    }
    const std::string_view name = text.substr(0, equals);
    if (std::ranges::find(seen_, name) != seen_.end()) {
      problems_.add(token.place, "option " + in_quotes(name) + " is there twice");
      return;
    }
    seen_.push_back(name);
    read(token.place, name, text.substr(equals + 1));
  }

  void finish() {
    if (rule_.method == Method::cert) rule_.clientcert = ClientCertificate::verify_full;
    if (has_clientname_ && rule_.clientcert != ClientCertificate::verify_full) {
      problems_.add(clientname_place_,
                    "clientname does nothing here: it needs method cert or clientcert=verify-full");
    }
  }

 private:
  void read(const Place& place, std::string_view name, std::string_view value) {
    if (name == "map") {
      read_map(place, value);
    } else if (name == "clientcert") {
      read_clientcert(place, value);
    } else if (name == "clientname") {
      read_clientname(place, value);
    } else {
      problems_.add(place, "option " + in_quotes(name) + " is not supported with method " +
                               std::string(name_of(rule_.method)) +
                               ": there are map (peer, cert), clientcert and clientname (hostssl)");
    }
  }

  void read_map(const Place& place, std::string_view value) {
    if (rule_.method != Method::peer && rule_.method != Method::cert) {
      problems_.add(place, "map is for the methods peer and cert only");
    } else if (value.empty()) {
      problems_.add(place, "map must name a map of pg_ident.conf");
    }
    rule_.map = value;
  }

  void read_clientcert(const Place& place, std::string_view value) {
    if (rule_.type != ConnectionType::hostssl) {
      problems_.add(place, "clientcert is for hostssl only: no other client has a certificate");
    } else if (value == "verify-full") {
      rule_.clientcert = ClientCertificate::verify_full;
    } else if (value != "verify-ca") {
      problems_.add(place, "clientcert must be verify-ca or verify-full");
    } else if (rule_.method == Method::cert) {
      problems_.add(place, "method cert compares names: clientcert can be verify-full only");
    } else {
      rule_.clientcert = ClientCertificate::verify_ca;
    }
  }

  void read_clientname(const Place& place, std::string_view value) {
    if (rule_.type != ConnectionType::hostssl) {
      problems_.add(place, "clientname is for hostssl only: no other client has a certificate");
    } else if (value != "CN" && value != "DN") {
      problems_.add(place, "clientname must be CN or DN");
    } else {
      rule_.clientname = value == "DN" ? CertificateName::dn : CertificateName::cn;
      has_clientname_ = true;
      clientname_place_ = place;
    }
  }

  HostRule& rule_;
  RuleProblems& problems_;
  std::vector<std::string_view> seen_;
  bool has_clientname_ = false;
  Place clientname_place_;
};

}  // namespace

void read_host_rule_options(std::span<const RuleField> fields, HostRule& rule,
                            RuleProblems& problems) {
  OptionReader reader(rule, problems);
  for (const auto& field : fields) {
    for (const auto& token : field) reader.read(token);
  }
  reader.finish();
}

}  // namespace helios::auth
