// SPDX-License-Identifier: Apache-2.0
#include "pgwire/message_types.hpp"

#include "pgwire/type_set.hpp"

namespace helios::pgwire {

std::uint32_t frontend_length_limit(char type) {
  switch (type) {
    case frontend::kQuery:
    case frontend::kParse:
    case frontend::kBind:
    case frontend::kFunctionCall:
    case frontend::kCopyData: return kLargeMessageBytes;
    case frontend::kExecute:
    case frontend::kDescribe:
    case frontend::kClose:
    case frontend::kCopyFail:
    case frontend::kCopyDone:
    case frontend::kFlush:
    case frontend::kSync:
    case frontend::kTerminate: return kSmallMessageBytes;
    case frontend::kPassword: return 65535;  // PG_MAX_AUTH_TOKEN_LENGTH, libpq/auth.h
    default: return 0;
  }
}

bool is_backend_type(char type) {
  static constexpr TypeSet kTypes("RK23CWdcGHDIEVvnNAtS1sZT");
  return kTypes.contains(type);
}

bool is_asynchronous(char backend_type) {
  return backend_type == backend::kNoticeResponse ||
         backend_type == backend::kNotificationResponse ||
         backend_type == backend::kParameterStatus;
}

}  // namespace helios::pgwire
