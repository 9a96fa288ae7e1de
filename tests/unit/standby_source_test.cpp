#include "os/standby_source.h"

#include <libpq-fe.h>

#include "real_programs.h"

namespace {

using namespace mfi::test;
using mfi::core::RunState;
using mfi::os::ConninfoKeywords;

TEST(ConninfoKeywords, QuotesEachValueOfEitherForm) {
  EXPECT_EQ(ConninfoKeywords(""), "");
  EXPECT_EQ(ConninfoKeywords("host=a\\ b port=1"), "host='a b' port='1' ");
  EXPECT_EQ(ConninfoKeywords("postgresql://clerk@replica:8009/bank?sslmode=require"),
            "user='clerk' dbname='bank' host='replica' port='8009' sslmode='require' ");
}

TEST(ConninfoKeywords, WhatFollowsWins) {
  const std::string text = ConninfoKeywords("dbname=other host=a") + "dbname='bank'";
  PQconninfoOption* options = PQconninfoParse(text.c_str(), nullptr);
  ASSERT_NE(options, nullptr);
  std::string database;
  for (const PQconninfoOption* option = options; option->keyword != nullptr; ++option) {
    if (std::string(option->keyword) == "dbname") database = option->val;
  }
  PQconninfoFree(options);
  EXPECT_EQ(database, "bank");
}

TEST(ConninfoKeywords, WhatCannotBeReadIsRefused) {
  const auto error = ErrorOf([] { ConninfoKeywords("nonsense"); });
  EXPECT_EQ(error.sqlstate(), "22023");
  EXPECT_STREQ(error.what(), "the connection string cannot be read");
}

class StandbySource : public RealPrograms {
 protected:
  mfi::core::RunRecord Run(const std::string& source) {
    job_.source = source;
    return RunBackup(job_, host_);
  }
};

// A server that is no standby can be told from one without having one.
TEST_F(StandbySource, APrimaryIsNoStandby) {
  UseDatabase("bank");
  job_.source_conninfo = source_->Conninfo(database_);
  EXPECT_EQ(Run("standby").error,
            "the standby could not be dumped: it is not a standby (See mfi_replication_status(), and "
            "mfi.backup_source_conninfo.)");
  const auto record = Run("prefer-standby");
  EXPECT_EQ(record.state, RunState::kSucceeded);
  EXPECT_EQ(record.source_role, "primary");
  EXPECT_FALSE(record.source_lag_bytes);
  EXPECT_EQ(record.error, "dumped from the primary, because the standby could not be dumped: it is not a standby");
}

TEST_F(StandbySource, WithoutAStandInTheWayOutIsNamed) {
  job_.source_conninfo = "host=" + temporary_.path() + "/nowhere";
  const auto record = Run("standby");
  EXPECT_EQ(record.state, RunState::kFailed);
  EXPECT_NE(record.error.find("mfi.backup_source = 'prefer-standby' lets the primary stand in"), std::string::npos)
      << record.error;
}

}  // namespace
