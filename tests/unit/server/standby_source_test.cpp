#include "os/server/standby_source.h"

#include <libpq-fe.h>

#include "real_programs.h"

namespace {

using namespace mfi::test;
using mfi::core::RunState;
using mfi::os::ConninfoKeywords;
using mfi::os::PeerKeywords;

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

constexpr char kBoth[] = "require_auth=scram-sha-256 channel_binding=require ";

TEST(PeerKeywords, DemandsScramAndChannelBindingOverTcp) {
  const std::string demands = "sslmode=require gssencmode=disable " + std::string(kBoth);
  EXPECT_EQ(PeerKeywords("host=db2"), "host='db2' " + demands);
  EXPECT_EQ(PeerKeywords("hostaddr=10.0.0.2"), "hostaddr='10.0.0.2' " + demands);
  EXPECT_EQ(PeerKeywords("host=/run/postgresql,db2"), "host='/run/postgresql,db2' " + demands);
  EXPECT_EQ(PeerKeywords("postgresql://clerk@db2/bank"), "user='clerk' dbname='bank' host='db2' " + demands);
  for (const char* weak : {"allow", "prefer"}) {
    EXPECT_EQ(PeerKeywords(std::string("host=db2 sslmode=") + weak),
              "host='db2' sslmode='" + std::string(weak) + "' " + demands);
  }
  EXPECT_EQ(PeerKeywords("host=db2 sslmode=verify-full gssencmode=disable"),
            "host='db2' sslmode='verify-full' gssencmode='disable' " + std::string(kBoth));
}

TEST(PeerKeywords, LeavesSocketsAndOwnWordsAlone) {
  for (const char* own :
       {"host=/run/postgresql", "host=@abstract", "host=/a,/b", "host=db2 require_auth=none",
        "host=db2 channel_binding=prefer", "host=db2 sslmode=disable require_auth=scram-sha-256", "port=5433", ""}) {
    EXPECT_EQ(PeerKeywords(own), ConninfoKeywords(own)) << own;
  }
}

TEST(PeerKeywords, DemandsOfAServiceWhateverElseIsNamed) {
  const std::string demands = "gssencmode=disable " + std::string(kBoth);
  for (const char* own : {"service=peer", "service=peer host=/run/postgresql", "service=peer dbname=bank",
                          "service=peer sslmode=verify-full"}) {
    // Nothing weaker than what the service file may say: sslmode stays its own.
    EXPECT_EQ(PeerKeywords(own), ConninfoKeywords(own) + demands) << own;
  }
  EXPECT_EQ(PeerKeywords("postgresql:///bank?service=peer"),
            ConninfoKeywords("postgresql:///bank?service=peer") + demands);
  EXPECT_NE(PeerKeywords("service=peer sslmode=prefer").find(" sslmode=require "), std::string::npos);
  EXPECT_THROW(PeerKeywords("service=peer sslmode=disable"), mfi::core::Error);
}

TEST(PeerKeywords, DemandsWhateverIsNotPlainlyASocket) {
  for (const char* own :
       {"host='' hostaddr=10.0.0.2", "host=/tmp hostaddr=10.0.0.2", "host=@abstract,10.0.0.2", "host=/a,/b,db2",
        "host=,db2", "host=' /tmp'", "host=./tmp", "postgresql://%2Ftmp,db2/bank", "postgresql:///bank?host=db2",
        "dbname='host=db2'", "dbname='postgresql://db2/bank'", "host=/tmp dbname='service=peer'"}) {
    EXPECT_EQ(PeerKeywords(own), ConninfoKeywords(own) + "sslmode=require gssencmode=disable " + kBoth) << own;
  }
}

TEST(PeerKeywords, TakesTheHostOfTheEnvironment) {
  setenv("PGHOST", "db2", 1);
  EXPECT_NE(PeerKeywords("user=a").find(kBoth), std::string::npos);
  setenv("PGHOST", "/run/postgresql", 1);
  EXPECT_EQ(PeerKeywords("user=a"), "user='a' ");
  unsetenv("PGHOST");
  setenv("PGHOSTADDR", "10.0.0.2", 1);
  EXPECT_NE(PeerKeywords("user=a").find(kBoth), std::string::npos);
  EXPECT_NE(PeerKeywords("host=/run/postgresql").find(kBoth), std::string::npos);
  unsetenv("PGHOSTADDR");
  setenv("PGSERVICE", "peer", 1);
  EXPECT_NE(PeerKeywords("host=/run/postgresql").find(kBoth), std::string::npos);
  unsetenv("PGSERVICE");
}

TEST(PeerKeywords, WithoutTlsTheRemedyIsNamed) {
  const auto error = ErrorOf([] { PeerKeywords("host=db2 sslmode=disable"); });
  EXPECT_EQ(error.sqlstate(), "22023");
  EXPECT_NE(error.hint().find("Leave sslmode out"), std::string::npos);
  EXPECT_THROW(PeerKeywords("nonsense"), mfi::core::Error);
}

class StandbySource : public RealPrograms {
 protected:
  mfi::core::RunRecord Run(mfi::core::BackupSource source) {
    job_.source = source;
    return RunBackup(job_, host_);
  }
};

// A server that is no standby can be told from one without having one.
TEST_F(StandbySource, APrimaryIsNoStandby) {
  UseDatabase("bank");
  job_.source_conninfo = "host='" + source_->socket_directory() + "' port=5432 user=boss";
  EXPECT_EQ(Run(mfi::core::BackupSource::kStandby).error,
            "the standby could not be dumped: it is not a standby (See mfi_replication_status(), and "
            "mfi.backup_source_conninfo.)");
  const auto record = Run(mfi::core::BackupSource::kPreferStandby);
  EXPECT_EQ(record.state, RunState::kSucceeded);
  EXPECT_EQ(record.source_role, "primary");
  EXPECT_FALSE(record.source_lag_bytes);
  EXPECT_EQ(record.error, "dumped from the primary, because the standby could not be dumped: it is not a standby");
}

TEST_F(StandbySource, WithoutAStandInTheWayOutIsNamed) {
  job_.source_conninfo = "host=" + temporary_.path() + "/nowhere";
  const auto record = Run(mfi::core::BackupSource::kStandby);
  EXPECT_EQ(record.state, RunState::kFailed);
  EXPECT_NE(record.error.find("mfi.backup_source = 'prefer-standby' lets the primary stand in"), std::string::npos)
      << record.error;
}

}  // namespace
