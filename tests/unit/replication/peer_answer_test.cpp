#include "core/replication/peer_answer.h"

#include <gtest/gtest.h>

namespace {

using namespace mfi::core;
using Row = std::vector<std::optional<std::string>>;

std::optional<PeerAnswer> Parse(const Row& row) { return ParsePeerAnswer({row}); }

TEST(PeerAnswer, OfAPrimaryAndOfAStandby) {
  const PeerAnswer primary{false, "7437912345678901234", 3, 1795000000000000};
  EXPECT_EQ(Parse({"f", "7437912345678901234", "3", "1795000000000000"}), primary);
  EXPECT_TRUE(Parse({"t", "18446744073709551615", "2147483647", "9223372036854775807"})->in_recovery);
}

TEST(PeerAnswer, WhatNoServerWritesIsNoAnswer) {
  EXPECT_FALSE(ParsePeerAnswer({}));
  EXPECT_FALSE(ParsePeerAnswer({{"f", "1", "1", "1"}, {"f", "1", "1", "1"}}));
  EXPECT_FALSE(Parse({}));
  EXPECT_FALSE(Parse({"f", "1", "1"}));
  EXPECT_FALSE(Parse({"f", "1", "1", "1", "1"}));
  for (const char* recovery : {"", "T", "true", "f ", "0", "tf"})
    EXPECT_FALSE(Parse({recovery, "1", "1", "1"})) << recovery;
  for (const char* number :
       {"", "0", "-1", "+1", " 1", "1 ", "01", "1e3", "0x1", "1.0", "NaN", "99999999999999999999999"}) {
    EXPECT_FALSE(Parse({"f", number, "1", "1"})) << number;
    EXPECT_FALSE(Parse({"f", "1", number, "1"})) << number;
    EXPECT_FALSE(Parse({"f", "1", "1", number})) << number;
  }
  EXPECT_FALSE(Parse({"f", "1", "2147483648", "1"}));
  EXPECT_FALSE(Parse({"f", "1", "1", "9223372036854775808"}));
  EXPECT_FALSE(Parse({"f", "18446744073709551616", "1", "1"}));
  EXPECT_FALSE(Parse({"f", std::string("1\0", 2), "1", "1"}));
  EXPECT_FALSE(Parse({"f", std::string(1 << 20, '1'), "1", "1"}));
  for (std::size_t missing = 0; missing < 4; ++missing) {
    Row row{"f", "1", "1", "1"};
    row[missing].reset();
    EXPECT_FALSE(Parse(row)) << missing;
  }
}

TEST(AuthenticationFailure, IsToldFromSilence) {
  const std::string to = "connection to server at \"db-replica\" (10.0.0.3), port 5432 failed: ";
  for (const char* words :
       {"authentication method requirement \"scram-sha-256\" failed: server requested a cleartext password",
        "authentication method requirement \"scram-sha-256\" failed: server did not complete authentication",
        "channel binding required, but server authenticated client without channel binding",
        "server does not support SSL, but SSL was required", "SSL error: certificate verify failed",
        "FATAL:  password authentication failed for user \"mfi_probe\"", "incorrect server signature",
        "FATAL:  no pg_hba.conf entry for host \"10.0.0.2\"", "received invalid response to SSL negotiation: X"}) {
    EXPECT_TRUE(IsAuthenticationFailure(to + words)) << words;
  }
  for (const char* words : {"Connection refused Is the server running on that host and accepting TCP/IP connections?",
                            "timeout expired", "FATAL:  the database system is starting up", "No route to host"}) {
    EXPECT_FALSE(IsAuthenticationFailure(to + words)) << words;
  }
  EXPECT_FALSE(IsAuthenticationFailure("no answer within 5 s"));
}

}  // namespace
