// SPDX-License-Identifier: Apache-2.0
#include "base/text.hpp"
#include "sql/analyzer.hpp"

#include <algorithm>
#include <string>

namespace helios::sql {
namespace {

// PostgreSQL's server encodings: those in which no byte of a multi-byte character is ASCII. The
// client-only ones (SJIS, BIG5, GBK, UHC, GB18030, JOHAB, SHIFT_JIS_2004) are not here. Names as
// pg_encoding_to_char() gives them, and UNICODE, which a server reports as its client wrote it.
constexpr std::string_view kSafeEncodings[] = {
    "SQL_ASCII",  "EUC_JP",  "EUC_CN",        "EUC_KR",     "EUC_TW",     "EUC_JIS_2004",
    "UTF8",       "UNICODE", "MULE_INTERNAL", "LATIN1",     "LATIN2",     "LATIN3",
    "LATIN4",     "LATIN5",  "LATIN6",        "LATIN7",     "LATIN8",     "LATIN9",
    "LATIN10",    "WIN1256", "WIN1258",       "WIN866",     "WIN874",     "KOI8R",
    "KOI8U",      "WIN1251", "WIN1252",       "ISO_8859_5", "ISO_8859_6", "ISO_8859_7",
    "ISO_8859_8", "WIN1250", "WIN1253",       "WIN1254",    "WIN1255",    "WIN1257",
};

}  // namespace

bool is_ascii_safe_encoding(std::string_view encoding) {
  return std::ranges::any_of(kSafeEncodings, [&](std::string_view safe) {
    return base::equals_ignore_case(encoding, safe);
  });
}

}  // namespace helios::sql
