// SPDX-License-Identifier: Apache-2.0
#include "pgwire/cancel_request.hpp"

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "pgwire/startup_packet.hpp"

namespace helios::pgwire {

base::Result<CancelKey> parse_cancel_key(std::string_view body) {
  base::ByteReader reader(body);
  CancelKey key;
  key.process_id = reader.read_i32();
  key.secret = reader.read_bytes(reader.remaining());
  if (!reader.finished() || key.secret.size() < 4 || key.secret.size() > kMaxCancelSecretBytes) {
    return base::fail(base::Errc::invalid, "malformed cancellation key");
  }
  return key;
}

std::string serialize_cancel_request(const CancelKey& key) {
  std::string out;
  base::append_i32(out, static_cast<std::int32_t>(12 + key.secret.size()));
  base::append_i32(out, kCancelRequestCode);
  base::append_i32(out, key.process_id);
  out += key.secret;
  return out;
}

}  // namespace helios::pgwire
