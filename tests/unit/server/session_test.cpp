#include "os/server/session.h"

#include <cstdlib>

#include "real_programs.h"

namespace {

using namespace mfi::os;
using namespace mfi::test;

class SessionTest : public RealPrograms {
 protected:
  std::string Shown(SessionKind kind, const std::string& role, const std::string& setting) {
    Connection session(source_->server().OpenAs(kind, role, database_), host_, std::chrono::seconds(30));
    return session.Value("SELECT pg_catalog.current_setting('" + setting + "')");
  }
};

TEST_F(SessionTest, NoSettingOfADatabaseOrARoleGetsIn) {
  UseDatabase("bank");
  auto admin = Connect();
  admin.Execute("CREATE ROLE clerk LOGIN");
  for (const char* setting :
       {"search_path = app, pg_catalog", "restrict_nonsystem_relation_kind = ''", "row_security = on",
        "quote_all_identifiers = on", "DateStyle = 'German'", "statement_timeout = 7000", "lock_timeout = 7000",
        "idle_in_transaction_session_timeout = 7000", "synchronous_commit = on", "role = clerk",
        "default_transaction_read_only = on", "array_nulls = off", "transform_null_equals = on", "exit_on_error = on",
        "default_transaction_isolation = serializable", "default_transaction_deferrable = on"}) {
    for (const char* whose : {"DATABASE bank", "ROLE boss", "ROLE clerk", "ROLE boss IN DATABASE bank"}) {
      admin.Execute(std::string("ALTER ") + whose + " SET " + setting);
    }
  }
  for (const auto& [kind, role] :
       {std::pair{SessionKind::kSuperuserOnOthersData, "boss"}, std::pair{SessionKind::kPlainOnOthersData, "clerk"}}) {
    EXPECT_EQ(Shown(kind, role, "search_path"), "pg_catalog,pg_temp");
    EXPECT_EQ(Shown(kind, role, "restrict_nonsystem_relation_kind"), "view,foreign-table");
    EXPECT_EQ(Shown(kind, role, "row_security"), "off");
    EXPECT_EQ(Shown(kind, role, "DateStyle").substr(0, 3), "ISO");
    EXPECT_EQ(Shown(kind, role, "quote_all_identifiers"), "off");
  }
  for (const SessionKind kind : {SessionKind::kSuperuserOnOthersData, SessionKind::kPlainOnOthersData,
                                 SessionKind::kRestoringSuperuser, SessionKind::kRestorer, SessionKind::kProbe}) {
    const bool plain = kind == SessionKind::kPlainOnOthersData || kind == SessionKind::kRestorer;
    const std::string role = plain ? "clerk" : "boss";
    EXPECT_EQ(Shown(kind, role, "statement_timeout") + Shown(kind, role, "lock_timeout"), "00");
    EXPECT_EQ(Shown(kind, role, "idle_in_transaction_session_timeout"), "0");
    EXPECT_EQ(Shown(kind, role, "synchronous_commit"), "local");
    EXPECT_EQ(Shown(kind, role, "role"), "none");
    EXPECT_EQ(Shown(kind, role, "default_transaction_read_only"), "off");
    EXPECT_EQ(Shown(kind, role, "default_transaction_isolation"), "read committed");
    EXPECT_EQ(Shown(kind, role, "default_transaction_deferrable"), "off");
  }
  EXPECT_EQ(Shown(SessionKind::kRestorer, "clerk", "DateStyle"), "German, DMY")
      << "a restore reads as its source wrote";
  for (const auto& [kind, role] :
       {std::pair{SessionKind::kRestoringSuperuser, "boss"}, std::pair{SessionKind::kRestorer, "clerk"}}) {
    EXPECT_EQ(Shown(kind, role, "check_function_bodies"), "off");
    EXPECT_EQ(Shown(kind, role, "array_nulls") + Shown(kind, role, "transform_null_equals"), "onoff");
    EXPECT_EQ(Shown(kind, role, "exit_on_error"), "off");
  }
}

TEST_F(SessionTest, ALoginTriggerDoesNotRunForASuperuser) {
  if (job_.server_major < 17) return;  // has none
  UseDatabase("bank");
  auto admin = Connect();
  for (const char* sql :
       {"CREATE TABLE logins ()",
        "CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS "
        "'BEGIN INSERT INTO public.logins DEFAULT VALUES; END'",
        "CREATE EVENT TRIGGER note ON login EXECUTE FUNCTION note()", "ALTER EVENT TRIGGER note ENABLE ALWAYS"}) {
    admin.Execute(sql);
  }
  Shown(SessionKind::kSuperuserOnOthersData, "boss", "port");
  Shown(SessionKind::kRestoringSuperuser, "boss", "port");
  EXPECT_EQ(admin.Value("SELECT count(*) FROM logins"), "0");
}

TEST_F(SessionTest, AViewInATablesPlaceIsRefused) {
  UseDatabase("bank");
  auto admin = Connect();
  admin.Execute("CREATE VIEW planted AS SELECT 1 AS x");
  Connection session = Connect(SessionKind::kSuperuserOnOthersData);
  EXPECT_EQ(ErrorOf([&] { session.Value("SELECT count(*) FROM ONLY public.planted"); }).sqlstate(), "55000");
}

TEST_F(SessionTest, WhatTheEnvironmentSaysOfAnotherServerDoesNotCount) {
  UseDatabase("bank");
  setenv("PGHOSTADDR", "192.0.2.1", 1);
  setenv("PGREQUIREAUTH", "scram-sha-256", 1);
  setenv("PGCHANNELBINDING", "require", 1);
  setenv("PGTARGETSESSIONATTRS", "standby", 1);
  EXPECT_EQ(Shown(SessionKind::kSuperuserOnOthersData, "boss", "port"), "5432");
  ForgetLibpqEnvironment();
}

TEST(ForgetLibpqEnvironment, TakesAllOfIt) {
  setenv("PGHOST", "elsewhere", 1);
  setenv("PGOPTIONS", "-c role=x", 1);
  setenv("NOPG", "stays", 1);
  ForgetLibpqEnvironment();
  EXPECT_EQ(getenv("PGHOST"), nullptr);
  EXPECT_EQ(getenv("PGOPTIONS"), nullptr);
  EXPECT_STREQ(getenv("NOPG"), "stays");
}

}  // namespace
