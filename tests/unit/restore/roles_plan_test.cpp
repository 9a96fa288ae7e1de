#include "core/restore/roles_plan.h"

#include <gtest/gtest.h>

#include "support.h"

namespace {

using mfi::core::PlanRoles;
using mfi::core::RolesPlan;
using mfi::core::ShownStatement;
using Lines = std::vector<std::string>;

Lines Texts(const RolesPlan& plan) {
  Lines texts;
  for (const auto& statement : plan.statements) texts.push_back(statement.text);
  return texts;
}

/// What is run of one statement on a server that has the role `here`.
std::string PlannedOf(const std::string& statement) {
  const Lines texts = Texts(PlanRoles("CREATE ROLE made; " + statement + ";", {"here", "there"}));
  return texts.size() == 2 ? texts[1] : texts.size() == 1 ? "" : "?";
}

TEST(RolesPlan, RolesThatExistStayAsTheyAre) {
  const RolesPlan plan = PlanRoles(R"sql(
-- PostgreSQL database cluster dump
\restrict x
SET default_transaction_read_only = off;
SET client_encoding = 'LATIN1';
SET standard_conforming_strings = on;
CREATE ROLE "app/web";
ALTER ROLE "app/web" WITH LOGIN PASSWORD 'a;b';
CREATE ROLE here;
ALTER ROLE here WITH SUPERUSER PASSWORD 'other';
ALTER ROLE here SET work_mem TO '1MB';
COMMENT ON ROLE here IS 'ON ROLE "app/web"';
COMMENT ON ROLE "app/web" IS 'it''s ON ROLE here;';
)sql",
                                   {"here"});
  EXPECT_EQ(plan.encoding, "LATIN1");
  EXPECT_EQ(plan.made, Lines{"app/web"});
  EXPECT_EQ(plan.kept, Lines{"here"});
  EXPECT_EQ(Texts(plan), (Lines{"SET standard_conforming_strings = on", "CREATE ROLE \"app/web\"",
                                "ALTER ROLE \"app/web\" WITH LOGIN PASSWORD 'a;b'",
                                "COMMENT ON ROLE \"app/web\" IS 'it''s ON ROLE here;'"}));
}

TEST(RolesPlan, AMembershipIsNewWhenOneOfBothIs) {
  for (const char* statement :
       {"GRANT here TO made", "GRANT made TO here WITH ADMIN OPTION", "GRANT pg_monitor TO made"}) {
    EXPECT_EQ(PlannedOf(statement), statement);
  }
  EXPECT_EQ(PlannedOf("GRANT here TO there WITH INHERIT TRUE GRANTED BY made"), "");
  const RolesPlan plan = PlanRoles("CREATE ROLE a; GRANT a TO b WITH INHERIT TRUE GRANTED BY \"the; boss\";", {"b"});
  EXPECT_EQ(plan.statements.at(1).without_grantor, "GRANT a TO b WITH INHERIT TRUE ");
  EXPECT_EQ(PlanRoles("CREATE ROLE a; GRANT a TO b;", {"b"}).statements.at(1).without_grantor, "");
}

TEST(RolesPlan, RightsOnParametersAreOfNewRolesAlone) {
  for (const char* statement :
       {"GRANT SET ON PARAMETER log_statement TO made", "REVOKE ALL ON PARAMETER x FROM made",
        "GRANT ALTER SYSTEM ON PARAMETER x TO made WITH GRANT OPTION", "SECURITY LABEL FOR p ON ROLE made IS 'x'",
        "SET SESSION AUTHORIZATION here", "RESET SESSION AUTHORIZATION"}) {
    EXPECT_EQ(PlannedOf(statement), statement);
  }
  for (const char* statement : {"GRANT SET ON PARAMETER log_statement TO here", "GRANT SET ON PARAMETER x TO PUBLIC",
                                "SECURITY LABEL FOR p ON ROLE here IS 'x'", "SET search_path = ''"}) {
    EXPECT_EQ(PlannedOf(statement), "") << statement;
  }
}

TEST(RolesPlan, TablespacesAreLeftToWhoKnowsTheDisks) {
  const RolesPlan plan = PlanRoles(
      "CREATE TABLESPACE fast OWNER made LOCATION '/srv'; ALTER TABLESPACE fast SET (seq_page_cost = 1);"
      "GRANT CREATE ON TABLESPACE fast TO made; COMMENT ON TABLESPACE fast IS 'x'; CREATE TABLESPACE \"s d\" LOCATION "
      "'';",
      {});
  EXPECT_EQ(plan.tablespaces, (Lines{"fast", "s d"}));
  EXPECT_EQ(Texts(plan), Lines());
}

TEST(RolesPlan, WhatIsNoneOfPgDumpallIsRefused) {
  for (const char* statement :
       {"DROP ROLE made", "CREATE DATABASE x", "COPY t FROM PROGRAM 'id'", "SELECT 1", "GRANT SELECT ON t TO made",
        "COMMENT ON DATABASE x IS 'ON ROLE made'", "DO $$ $$", "CREATE ROLE", "ALTER SYSTEM SET x = 1",
        "CREATE TABLESPACE", "ALTER DATABASE x SET y = 1", "COMMENT ON TABLE role IS 'x'",
        "SECURITY LABEL ON TABLE x IS 'y'"}) {
    const auto error = mfi::test::ErrorOf([&] { PlanRoles(std::string(statement) + ";", {}); });
    EXPECT_EQ(error.sqlstate(), mfi::core::sqlstate::kDataCorrupted) << statement;
  }
}

TEST(RolesPlan, NoPasswordIsShown) {
  EXPECT_EQ(ShownStatement("ALTER ROLE app WITH LOGIN PASSWORD 'SCRAM'"), "ALTER ROLE app WITH LOGIN ...");
  EXPECT_EQ(ShownStatement("ALTER ROLE app WITH LOGIN pAssword 'SCRAM'"), "ALTER ROLE app WITH LOGIN ...");
  EXPECT_EQ(ShownStatement("CREATE ROLE \"password\""), "CREATE ROLE \"password\"");
  EXPECT_EQ(ShownStatement("COMMENT ON ROLE x IS '" + std::string(200, 'y') + "'").size(), 103U);
}

}  // namespace
