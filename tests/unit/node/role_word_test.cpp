#include "core/node/role_word.h"

#include <gtest/gtest.h>

namespace {

using namespace mfi::core;

const RoleWord kWord{"db-replica", 2, "7437912345678901234", 3};
const std::string kSignature(64, 'a');

TEST(RoleWord, IsReadAsItIsWritten) {
  EXPECT_EQ(WordText(kWord), "mfi1 db-replica 2 7437912345678901234 3");
  EXPECT_EQ(ParseWordText(WordText(kWord)), kWord);
  const auto read = ParseSignedLine(SignedLine(kWord, kSignature));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->word, kWord);
  EXPECT_EQ(read->signature, kSignature);
}

TEST(RoleWord, AnythingElseIsNone) {
  const std::string good = SignedLine(kWord, kSignature);
  for (const std::string& bad : {std::string(),
                                 std::string("\n"),
                                 good.substr(0, good.size() - 1),
                                 good + "\n",
                                 " " + good,
                                 good + good,
                                 SignedLine(kWord, std::string(63, 'a')),
                                 SignedLine(kWord, std::string(64, 'A')),
                                 SignedLine(kWord, ""),
                                 "mfi2" + good.substr(4),
                                 "mfi1  db-replica 2 7437912345678901234 3 " + kSignature + "\n",
                                 "mfi1 db-replica 02 7437912345678901234 3 " + kSignature + "\n",
                                 "mfi1 db-replica -2 7437912345678901234 3 " + kSignature + "\n",
                                 "mfi1 db-replica 4294967296 7437912345678901234 3 " + kSignature + "\n",
                                 "mfi1 db-replica 2 18446744073709551616 3 " + kSignature + "\n",
                                 "mfi1 db-replica 2 7437912345678901234 0 " + kSignature + "\n",
                                 "mfi1 db-replica 2 7437912345678901234 3 3 " + kSignature + "\n",
                                 "mfi1 db/replica 2 7437912345678901234 3 " + kSignature + "\n",
                                 "mfi1 " + std::string(64, 'x') + " 2 7437912345678901234 3 " + kSignature + "\n",
                                 std::string(5000, 'x') + "\n",
                                 std::string("mfi1 db\0r 2 7437912345678901234 3 ", 34) + kSignature + "\n"}) {
    EXPECT_FALSE(ParseSignedLine(bad)) << bad;
  }
}

TEST(RoleWord, OneWithoutSignatureIsTold) {
  EXPECT_TRUE(IsUnsignedWord("db-replica 2 7437912345678901234\n"));
  EXPECT_FALSE(IsUnsignedWord("db-replica 2\n"));
  EXPECT_FALSE(IsUnsignedWord(""));
  EXPECT_FALSE(IsUnsignedWord(SignedLine(kWord, kSignature)));
}

TEST(RoleWord, OnlyALaterOneSupersedes) {
  EXPECT_TRUE(Supersedes(kWord, std::nullopt));
  EXPECT_FALSE(Supersedes(kWord, kWord));
  EXPECT_FALSE(Supersedes(kWord, RoleWord{"db-primary", 1, "7", 4}));
  EXPECT_TRUE(Supersedes(kWord, RoleWord{"db-primary", 9, "7", 2}));
}

}  // namespace
