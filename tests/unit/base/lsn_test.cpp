#include "core/base/lsn.h"

#include <gtest/gtest.h>

namespace {

using mfi::core::FormatLsn;
using mfi::core::Lsn;
using mfi::core::ParseLsn;

TEST(LsnTest, WhatIsWrittenIsReadAgain) {
  for (const Lsn lsn : {Lsn{0}, Lsn{1}, Lsn{0xFFFFFFFF}, Lsn{0x100000000}, Lsn{0x16B374D848}, ~Lsn{0}}) {
    EXPECT_EQ(ParseLsn(FormatLsn(lsn)), lsn);
  }
  EXPECT_EQ(FormatLsn(0), "0/0");
  EXPECT_EQ(FormatLsn(0x16B374D848), "16/B374D848");
  EXPECT_EQ(ParseLsn("16/b374d848"), Lsn{0x16B374D848});
  EXPECT_EQ(ParseLsn("00000016/0B374D84"), Lsn{0x160B374D84});
}

TEST(LsnTest, OtherTextsAreNone) {
  for (const char* text : {"", "/", "0", "0/", "/0", "0/0/0", "0/0 ", " 0/0", "0x1/0", "-1/0", "0/+1", "g/0",
                           "100000000/0", "0/100000000", "0/000000001"}) {
    EXPECT_FALSE(ParseLsn(text)) << text;
  }
}

}  // namespace
