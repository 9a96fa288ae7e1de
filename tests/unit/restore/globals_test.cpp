#include "core/restore/globals.h"

#include <gtest/gtest.h>

namespace {

using Lines = std::vector<std::string>;

Lines Names(std::string_view globals) { return mfi::core::ParseGlobalRoles(globals).names; }

TEST(Globals, OnlyRolesAreTaken) {
  const auto roles = mfi::core::ParseGlobalRoles(R"sql(
--
-- PostgreSQL database cluster dump; CREATE ROLE fake;
--

\restrict 4tR;CREATE ROLE fake;x

SET default_transaction_read_only = off;
SET client_encoding = 'UTF8';

--
-- Roles
--

CREATE ROLE app;
ALTER ROLE app WITH NOSUPERUSER LOGIN PASSWORD 'SCRAM-SHA-256$4096:x;CREATE ROLE fake;''"';
COMMENT ON ROLE app IS 'CREATE ROLE fake;
CREATE ROLE fake;';
COMMENT ON ROLE app IS E'\';CREATE ROLE fake;';
CREATE ROLE postgres;
ALTER ROLE postgres WITH SUPERUSER;
	CREATE ROLE report;

GRANT app TO report WITH INHERIT TRUE GRANTED BY postgres;
GRANT "pg_monitor" TO report WITH INHERIT TRUE GRANTED BY postgres;
GRANT pg_execute_server_program TO app;
GRANT SET ON PARAMETER log_statement TO app;
CREATE TABLESPACE fast OWNER app LOCATION '/srv';

\unrestrict 4tR
)sql");
  EXPECT_EQ(roles.names, (Lines{"app", "postgres", "report"}));
  ASSERT_EQ(roles.memberships.size(), 1U);
  EXPECT_EQ(roles.memberships[0].role + " " + roles.memberships[0].member, "app report");
}

TEST(Globals, OnlyTheSetsOwnRolesAreMembersOfEachOther) {
  const auto roles = mfi::core::ParseGlobalRoles(
      "CREATE ROLE teller;CREATE ROLE pg_fake;GRANT mfi_scratch_owner TO teller;GRANT teller TO mfi_restorer;"
      "GRANT \"pg_monitor\" TO teller;GRANT pg_fake TO teller;GRANT chief TO teller WITH ADMIN OPTION;CREATE ROLE "
      "chief;");
  EXPECT_EQ(roles.names, (Lines{"teller", "chief"}));
  ASSERT_EQ(roles.memberships.size(), 1U);
  EXPECT_EQ(roles.memberships[0].role + " " + roles.memberships[0].member, "chief teller");
}

TEST(Globals, WhatDecidesWhichRowsARoleSees) {
  const auto roles = mfi::core::ParseGlobalRoles(
      "CREATE ROLE a;ALTER ROLE a WITH SUPERUSER NOINHERIT CREATEROLE LOGIN BYPASSRLS PASSWORD 'noinherit';"
      "CREATE ROLE b;ALTER ROLE b WITH NOSUPERUSER INHERIT NOBYPASSRLS PASSWORD 'bypassrls' VALID UNTIL 'infinity';"
      "CREATE ROLE c;ALTER ROLE c SET search_path TO bypassrls;"
      "GRANT a TO b WITH ADMIN OPTION, INHERIT FALSE, SET TRUE GRANTED BY postgres;GRANT b TO c WITH INHERIT TRUE;"
      "GRANT a TO c WITH admin, set 'x'; GRANT b TO a GRANTED BY set;");
  EXPECT_EQ(roles.bypass_rls, std::set<std::string>{"a"});
  EXPECT_EQ(roles.no_inherit, std::set<std::string>{"a"});
  Lines options;
  for (const auto& membership : roles.memberships) options.push_back(membership.options);
  EXPECT_EQ(options, (Lines{"inherit false, set true", "inherit true", "", ""}));
}

TEST(Globals, QuotedNamesKeepWhatIsInThem) {
  EXPECT_EQ(Names("CREATE ROLE \"a;b\";\r\nCREATE ROLE \"new\nline -- no comment\";\n"
                  "CREATE ROLE \"quo\"\"te\";CREATE ROLE \"it's\";CREATE ROLE \"back\\slash\";"),
            (Lines{"a;b", "new\nline -- no comment", "quo\"te", "it's", "back\\slash"}));
}

TEST(Globals, CommentsMayFollowAStatement) {
  EXPECT_EQ(Names("CREATE ROLE a -- first\n; -- CREATE ROLE b;\nCREATE ROLE /* x; /* y */ ; */ c;--"),
            (Lines{"a", "c"}));
}

TEST(Globals, AStatementWithoutItsEndIsNone) {
  EXPECT_EQ(Names(""), Lines{});
  EXPECT_EQ(Names("CREATE ROLE cut"), Lines{});
  EXPECT_EQ(Names("CREATE ROLE \"cut;"), Lines{});
  EXPECT_EQ(Names("-- only a comment"), Lines{});
}

}  // namespace
