// How a name server is asked, and what of its answer counts.

#include "core/node/name_question.h"

#include <gtest/gtest.h>

namespace {

using namespace mfi::core;
using std::string_literals::operator""s;

const std::string kName = "\12db-primary\0"s;
const std::string kAsked = "\x12\x34\x01\0\0\1\0\0\0\0\0\0"s + kName + "\0\1\0\1"s;

std::string Answer(const std::string& flags, const std::string& records, char number) {
  return "\x12\x34"s + flags + "\0\1\0"s + number + "\0\0\0\0"s + kName + "\0\1\0\1"s + records;
}

const std::string kRecord = "\xC0\x0C\0\1\0\1\0\0\2\x58\0\4\xAC\x12\0\2"s;
const std::string kAlias = "\xC0\x0C\0\5\0\1\0\0\2\x58\0\2\xC0\x0C"s;
const std::string kIpv6 = "\2db\0\0\x1C\0\1\0\0\2\x58\0\x10"s + std::string(16, '\xFE');

TEST(NameQuestion, IsOneDatagram) {
  EXPECT_EQ(NameQuestion(0x1234, "db-primary", AddressKind::kIpv4), kAsked);
  EXPECT_EQ(NameQuestion(0x1234, "db-primary.", AddressKind::kIpv4), kAsked);
  EXPECT_EQ(NameQuestion(1, "a.bc", AddressKind::kIpv6), "\0\1\1\0\0\1\0\0\0\0\0\0\1a\2bc\0\0\x1C\0\1"s);
  for (const std::string& bad : {std::string(), "."s, "a..b"s, ".a"s, std::string(64, 'x'), std::string(300, 'x')}) {
    EXPECT_FALSE(NameQuestion(1, bad, AddressKind::kIpv4)) << bad;
  }
}

TEST(NameQuestion, AddressesAreTakenFromItsAnswer) {
  using List = std::vector<std::string>;
  EXPECT_EQ(AddressesInAnswer(Answer("\x81\x80"s, kRecord, 1), kAsked), List{"\xAC\x12\0\2"s});
  EXPECT_EQ(AddressesInAnswer(Answer("\x81\x80"s, kAlias + kRecord + kIpv6, 3), kAsked),
            (List{"\xAC\x12\0\2"s, std::string(16, '\xFE')}));
  EXPECT_EQ(AddressesInAnswer(Answer("\x81\x83"s, "", 0), kAsked), List{}) << "no such name";
  EXPECT_EQ(AddressesInAnswer(Answer("\x81\x82"s, "", 0), kAsked), List{}) << "the server failed";
}

TEST(NameQuestion, WhatIsNoAnswerIsNone) {
  const std::string good = Answer("\x81\x80"s, kRecord, 1);
  EXPECT_FALSE(AddressesInAnswer(kAsked, kAsked)) << "a question";
  EXPECT_FALSE(AddressesInAnswer("\x12\x35" + good.substr(2), kAsked)) << "another number";
  for (std::size_t length = 0; length < good.size(); ++length) {
    EXPECT_FALSE(AddressesInAnswer(good.substr(0, length), kAsked)) << length;
  }
  EXPECT_FALSE(AddressesInAnswer(Answer("\x81\x80"s, kRecord, 2), kAsked)) << "fewer records than it says";
  EXPECT_FALSE(AddressesInAnswer(Answer("\x81\x80"s, "\x80" + kRecord, 1), kAsked)) << "a label that is too long";
}

TEST(NameQuestion, TheFirstNameServerIsAsked) {
  EXPECT_EQ(FirstNameServer("# comment\nsearch example\nnameserver 127.0.0.11\nnameserver 1.1.1.1\n"), "127.0.0.11");
  EXPECT_EQ(FirstNameServer("nameserver\t10.89.0.1 # of podman"), "10.89.0.1");
  EXPECT_EQ(FirstNameServer("nameservers 1.2.3.4\nnameserver\n#nameserver 1.1.1.1\n"), "");
  EXPECT_EQ(FirstNameServer(""), "");
}

}  // namespace
