// SPDX-License-Identifier: Apache-2.0
#pragma once

// SQLSTATE codes that the proxy itself uses (PostgreSQL manual, appendix "Error Codes").

#include <string_view>

namespace helios::pgwire::sqlstate {

inline constexpr std::string_view kConnectionFailure = "08006";
inline constexpr std::string_view kProtocolViolation = "08P01";
inline constexpr std::string_view kFeatureNotSupported = "0A000";
inline constexpr std::string_view kDivisionByZero = "22012";
inline constexpr std::string_view kInvalidParameterValue = "22023";
inline constexpr std::string_view kInvalidStatementName = "26000";
inline constexpr std::string_view kInvalidAuthorization = "28000";
inline constexpr std::string_view kInvalidPassword = "28P01";
inline constexpr std::string_view kInvalidCursorName = "34000";
inline constexpr std::string_view kAccessRuleViolation = "42000";  // default of a plugin's refusal
inline constexpr std::string_view kInsufficientPrivilege = "42501";
inline constexpr std::string_view kSyntaxError = "42601";
inline constexpr std::string_view kNameTooLong = "42622";
inline constexpr std::string_view kUndefinedFunction = "42883";
inline constexpr std::string_view kObjectInUse = "55006";        // object_in_use
inline constexpr std::string_view kFailedTransaction = "25P02";  // in_failed_sql_transaction
inline constexpr std::string_view kIdleInTransactionTimeout = "25P03";
inline constexpr std::string_view kOutOfMemory = "53200";
inline constexpr std::string_view kTooManyConnections = "53300";
inline constexpr std::string_view kIdleSessionTimeout = "57P05";
inline constexpr std::string_view kProgramLimitExceeded = "54000";
inline constexpr std::string_view kQueryCanceled = "57014";
inline constexpr std::string_view kAdminShutdown = "57P01";
// "The server is there and takes no connections": clients with several hosts try the next one.
inline constexpr std::string_view kCannotConnectNow = "57P03";
inline constexpr std::string_view kSystemError = "58000";
inline constexpr std::string_view kIoError = "58030";
inline constexpr std::string_view kInternalError = "XX000";

}  // namespace helios::pgwire::sqlstate
