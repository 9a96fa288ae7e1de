#include "core/base/utf8.h"

#include <gtest/gtest.h>

namespace {

using mfi::core::BytesToCharacters;
using mfi::core::CharactersToBytes;

TEST(Utf8, TextStaysAsItIs) {
  for (const char* text :
       {"", "plain", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "a\nb\\\"", "\xf4\x8f\xbd\xbf"}) {
    EXPECT_EQ(BytesToCharacters(text), text);
    EXPECT_EQ(CharactersToBytes(text), text);
  }
}

TEST(Utf8, EveryByteBecomesACharacterAndComesBack) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string bytes = {'a', static_cast<char>(byte), 'b'};
    const std::string text = BytesToCharacters(bytes);
    EXPECT_EQ(CharactersToBytes(text), bytes) << byte;
    for (std::string_view rest = text; !rest.empty();) {
      const mfi::core::Character character = mfi::core::FirstCharacter(rest);
      ASSERT_GT(character.length, 0U) << byte;
      rest.remove_prefix(character.length);
    }
  }
  EXPECT_EQ(BytesToCharacters("\xe9"), "\xf4\x8f\xbf\xa9");
  EXPECT_EQ(BytesToCharacters("\x80"), "\xf4\x8f\xbe\x80");
}

TEST(Utf8, CharactersThatStandForBytesAreNotLost) {
  for (const std::string bytes : {"\xf4\x8f\xbf\xa9", "\xf4\x8f\xbe\x80 \xe9", "\xf4\x8f\xbf\xbf\xf4"}) {
    EXPECT_EQ(CharactersToBytes(BytesToCharacters(bytes)), bytes);
  }
}

}  // namespace
