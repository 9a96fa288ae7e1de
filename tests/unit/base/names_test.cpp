#include "core/base/names.h"

#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <set>

namespace {

using mfi::core::ConninfoValue;
using mfi::core::EncodeFileName;
using mfi::core::IsRunId;
using mfi::core::LastLines;
using mfi::core::RunId;
using mfi::core::SqlLiteral;

constexpr mfi::core::UtcSeconds kAt = 1'795'312'800;  // 2026-11-22 02:00:00

TEST(Names, FileNameStaysReadableAndSafe) {
  EXPECT_EQ(EncodeFileName("mfi_banking"), "mfi_banking");
  EXPECT_EQ(EncodeFileName("Käse \"x\" 'y'"), "Käse \"x\" 'y'");
  EXPECT_EQ(EncodeFileName("a/b%c"), "a%2Fb%25c");
  EXPECT_EQ(EncodeFileName("../x"), "%2E.%2Fx");
  EXPECT_EQ(EncodeFileName("-rf -x."), "%2Drf -x.");
  EXPECT_EQ(EncodeFileName("a\nb\x7f\x01"), "a%0Ab%7F%01");
  EXPECT_EQ(EncodeFileName(""), "");
}

TEST(Names, NoTwoDatabasesShareAFileName) {
  const std::string alphabet = "/%.-a2FE\n";
  std::vector<std::string> names = {""};
  for (std::size_t i = 0; names[i].size() < 4; ++i) {
    for (const char c : alphabet) names.push_back(names[i] + c);
  }
  std::set<std::string> encoded;
  for (const std::string& name : names) {
    EXPECT_TRUE(encoded.insert(EncodeFileName(name)).second) << name;
    EXPECT_EQ(IsRunId(RunId(name, kAt)), !name.empty()) << name;
  }
}

TEST(Names, RunIdIsTheDatabaseAndTheMoment) {
  EXPECT_EQ(RunId("mfi_banking", kAt), "mfi_banking_20261122T020000Z");
  EXPECT_TRUE(IsRunId("mfi_banking_20261122T020000Z"));
  EXPECT_TRUE(IsRunId(RunId(std::string(63, '/'), kAt)));
}

TEST(Names, WhatIsNoRunId) {
  for (const char* text :
       {"", "_20261122T020000Z", "20261122T020000Z", "bank-20261122T020000Z", "bank_20261122T020000", "latest",
        "bank_20261122T0200000", "bank_20261322T020000Z", "bank_20260230T020000Z", "bank_20261122T240000Z",
        "bank_2026-11-22T02:00:00Z", "../b_20261122T020000Z", "a/b_20261122T020000Z", ".b_20261122T020000Z",
        "-b_20261122T020000Z", "a\nb_20261122T020000Z", "a\x7f_20261122T020000Z", "bank_20261122T020000Z.sql.gz"}) {
    EXPECT_FALSE(IsRunId(text)) << text;
  }
  EXPECT_FALSE(IsRunId(std::string(239, 'x') + "_20261122T020000Z"));
  EXPECT_TRUE(IsRunId(std::string(238, 'x') + "_20261122T020000Z"));
}

/// What libpq reads back from `dbname=` followed by the text.
std::string DatabaseOf(const std::string& value) {
  std::string database = "(not parsed)";
  PQconninfoOption* options = PQconninfoParse(("user=a dbname=" + value + " port=1").c_str(), nullptr);
  for (PQconninfoOption* option = options; option != nullptr && option->keyword != nullptr; ++option) {
    if (std::string_view(option->keyword) == "dbname" && option->val != nullptr) database = option->val;
  }
  PQconninfoFree(options);
  return database;
}

TEST(Names, LibpqReadsAConninfoValueBack) {
  for (const char* value : {"bank", "", " ", "it's", "a\\b", "a' host='evil", "\\'", "x=y", "ünï\n"}) {
    EXPECT_EQ(DatabaseOf(ConninfoValue(value)), value);
  }
}

TEST(Names, SqlLiteralDoublesQuotesAlone) {
  EXPECT_EQ(SqlLiteral("it's a\\b"), "'it''s a\\b'");
  EXPECT_EQ(SqlLiteral(""), "''");
}

TEST(Names, LastLinesAreBoundedBothWays) {
  EXPECT_EQ(LastLines("", 3, 100), "");
  EXPECT_EQ(LastLines("\r\n\n", 3, 100), "");
  EXPECT_EQ(LastLines("one", 3, 100), "one");
  EXPECT_EQ(LastLines("one\ntwo\nthree\n", 2, 100), "two\nthree");
  EXPECT_EQ(LastLines("one\ntwo\nthree\n\n", 3, 100), "one\ntwo\nthree");
  EXPECT_EQ(LastLines("\none\n", 2, 100), "\none");
  EXPECT_EQ(LastLines("one\ntwo", 1, 100), "two");
  EXPECT_EQ(LastLines("one\ntwo", 9, 5), "e\ntwo");
}

}  // namespace
