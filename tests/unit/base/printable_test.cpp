#include "core/base/printable.h"

#include <gtest/gtest.h>

namespace {

using mfi::core::PlainWords;
using mfi::core::Printable;

TEST(Printable, LettersOfAllLanguagesStay) {
  for (const char* text : {"", "plain words: /a/b.dump", "M\xC3\xBCller \xD0\x9A\xD0\xB0\xD1\x81\xD1\x81\xD0\xB0",
                           "\xE9\x8A\x80\xE8\xA1\x8C \xF0\x9F\x8F\xA6 \xD8\xA8\xD9\x86\xD9\x83"}) {
    EXPECT_EQ(Printable(text), text);
  }
}

TEST(Printable, WhatMovesACursorBecomesAQuestionMark) {
  EXPECT_EQ(Printable("a\x1b[2J\nLOG:\tb\r\x07\x7f"), "a?[2J LOG: b???");
  EXPECT_EQ(Printable(std::string("a\0b", 3)), "a?b");
  EXPECT_EQ(Printable("a\xC2\x9B"
                      "31m \xE2\x80\xAE \xE2\x80\xA8 \xEF\xBB\xBF \xE2\x81\xA6"),
            "a?31m ? ? ? ?");
}

TEST(Printable, WhatIsNoUtf8BecomesAQuestionMark) {
  EXPECT_EQ(Printable("a\xFF\xFE"
                      "b\xC3"),
            "a??b?");
  EXPECT_EQ(Printable("\xC0\x80|\xED\xA0\x80|\xF4\x90\x80\x80|\xE2\x82|\xF8"), "??|???|????|??|?");
}

TEST(Printable, WhatFormatsIsNotShown) {
  // U+0600, U+180E, U+110BD, U+13430, U+1BCA0, U+1D173
  EXPECT_EQ(Printable("\xD8\x80\xE1\xA0\x8E\xF0\x91\x82\xBD\xF0\x93\x90\xB0\xF0\x9B\xB2\xA0\xF0\x9D\x85\xB3"),
            "??????");
}

TEST(Printable, NoCharacterIsCut) {
  EXPECT_EQ(Printable("ab\xC3\xA4", 3), "ab");
  EXPECT_EQ(Printable("ab\xC3\xA4", 4), "ab\xC3\xA4");
  EXPECT_EQ(Printable("abc", 0), "");
  EXPECT_EQ(Printable("\x1b\x1b\x1b", 2), "??");
}

TEST(PlainWords, AreOneBoundedPrintableLine) {
  EXPECT_EQ(PlainWords("", 100), "");
  EXPECT_EQ(PlainWords("failed:\n\tIs it running?\n", 100), "failed: Is it running?");
  EXPECT_EQ(PlainWords("a\x1b[31mred\x07\x7f\xc3\xa4", 100), "a?[31mred????");
  EXPECT_EQ(PlainWords(std::string("a\0b", 3), 100), "a?b");
  EXPECT_EQ(PlainWords(std::string(5000, 'x'), 10), "xxxxxx ...");
  EXPECT_EQ(PlainWords("0123456789", 10), "0123456789");
  EXPECT_EQ(PlainWords("abc", 2), "ab");
}

}  // namespace
