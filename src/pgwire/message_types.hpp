// SPDX-License-Identifier: Apache-2.0
#pragma once

// Type bytes and length rules of protocol 3 messages (PostgreSQL manual, "Message Formats").
// Direction is in the name of the enum: frontend = sent by the client, backend = by the server.

#include <cstdint>

namespace helios::pgwire {

namespace frontend {
inline constexpr char kBind = 'B';
inline constexpr char kClose = 'C';
inline constexpr char kCopyData = 'd';
inline constexpr char kCopyDone = 'c';
inline constexpr char kCopyFail = 'f';
inline constexpr char kDescribe = 'D';
inline constexpr char kExecute = 'E';
inline constexpr char kFlush = 'H';
inline constexpr char kFunctionCall = 'F';
inline constexpr char kParse = 'P';
inline constexpr char kPassword = 'p';  // also the SASL and GSS answers
inline constexpr char kQuery = 'Q';
inline constexpr char kSync = 'S';
inline constexpr char kTerminate = 'X';
}  // namespace frontend

namespace backend {
inline constexpr char kAuthentication = 'R';
inline constexpr char kBackendKeyData = 'K';
inline constexpr char kBindComplete = '2';
inline constexpr char kCloseComplete = '3';
inline constexpr char kCommandComplete = 'C';
inline constexpr char kCopyBothResponse = 'W';
inline constexpr char kCopyData = 'd';
inline constexpr char kCopyDone = 'c';
inline constexpr char kCopyInResponse = 'G';
inline constexpr char kCopyOutResponse = 'H';
inline constexpr char kDataRow = 'D';
inline constexpr char kEmptyQueryResponse = 'I';
inline constexpr char kErrorResponse = 'E';
inline constexpr char kFunctionCallResponse = 'V';
inline constexpr char kNegotiateProtocolVersion = 'v';
inline constexpr char kNoData = 'n';
inline constexpr char kNoticeResponse = 'N';
inline constexpr char kNotificationResponse = 'A';
inline constexpr char kParameterDescription = 't';
inline constexpr char kParameterStatus = 'S';
inline constexpr char kParseComplete = '1';
inline constexpr char kPortalSuspended = 's';
inline constexpr char kReadyForQuery = 'Z';
inline constexpr char kRowDescription = 'T';
}  // namespace backend

// Status byte of ReadyForQuery.
enum class TransactionStatus : char { idle = 'I', in_transaction = 'T', failed = 'E' };

// The largest length word PostgreSQL accepts in messages that carry data (PQ_LARGE_MESSAGE_LIMIT)
// and in those that only carry names or nothing (PQ_SMALL_MESSAGE_LIMIT), libpq/libpq.h.
inline constexpr std::uint32_t kLargeMessageBytes = 0x3FFFFFFE;
inline constexpr std::uint32_t kSmallMessageBytes = 10000;

// The largest length word of a frontend message after startup; 0 for a type that does not exist.
[[nodiscard]] std::uint32_t frontend_length_limit(char type);

// Does a backend message of this type exist?
[[nodiscard]] bool is_backend_type(char type);

// Answers that belong to no request: NoticeResponse, NotificationResponse, ParameterStatus.
[[nodiscard]] bool is_asynchronous(char backend_type);

}  // namespace helios::pgwire
