// SPDX-License-Identifier: Apache-2.0
#include "sql/analyzer.hpp"

#include <gtest/gtest.h>

namespace helios::sql {
namespace {

TEST(Encoding, those_with_only_high_trailing_bytes_are_safe) {
  for (const char* name :
       {"UTF8", "utf8", "UNICODE", "SQL_ASCII", "LATIN1", "LATIN10", "WIN1252", "EUC_JP", "EUC_TW",
        "EUC_JIS_2004", "KOI8R", "ISO_8859_5", "MULE_INTERNAL"})
    EXPECT_TRUE(is_ascii_safe_encoding(name)) << name;
}

TEST(Encoding, those_with_ascii_trailing_bytes_and_unknown_ones_are_not) {
  for (const char* name : {"SJIS", "BIG5", "GBK", "UHC", "GB18030", "JOHAB", "SHIFT_JIS_2004", "",
                           "UTF-16", "UTF", "LATIN", "LATIN11"})
    EXPECT_FALSE(is_ascii_safe_encoding(name)) << name;
}

}  // namespace
}  // namespace helios::sql
