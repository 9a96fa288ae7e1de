#include "core/globals.h"

#include <gtest/gtest.h>

namespace {

using mfi::core::RoleStatements;
using Lines = std::vector<std::string>;

TEST(Globals, OnlyRolesAreTaken) {
  EXPECT_EQ(RoleStatements(R"sql(
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
CREATE ROLE postgres;
ALTER ROLE postgres WITH SUPERUSER;
	CREATE ROLE report;

GRANT app TO report WITH INHERIT TRUE GRANTED BY postgres;
CREATE TABLESPACE fast OWNER app LOCATION '/srv';

\unrestrict 4tR
)sql",
                           "postgres"),
            (Lines{"CREATE ROLE app", "CREATE ROLE report"}));
}

TEST(Globals, QuotedNamesKeepWhatIsInThem) {
  EXPECT_EQ(RoleStatements("CREATE ROLE \"a;b\";\r\nCREATE ROLE \"new\nline -- no comment\";\n"
                           "CREATE ROLE \"quo\"\"te\";CREATE ROLE \"it's\";CREATE ROLE \"back\\slash\";",
                           "postgres"),
            (Lines{"CREATE ROLE \"a;b\"", "CREATE ROLE \"new\nline -- no comment\"", "CREATE ROLE \"quo\"\"te\"",
                   "CREATE ROLE \"it's\"", "CREATE ROLE \"back\\slash\""}));
}

TEST(Globals, TheSuperuserIsLeftOutHoweverItIsWritten) {
  EXPECT_EQ(RoleStatements("CREATE ROLE postgres;CREATE ROLE \"postgres\";CREATE ROLE postgres2;", "postgres"),
            Lines{"CREATE ROLE postgres2"});
  EXPECT_EQ(RoleStatements("CREATE ROLE \"Da \"\"Boss\";CREATE ROLE \"Da Boss\";", "Da \"Boss"),
            Lines{"CREATE ROLE \"Da Boss\""});
}

TEST(Globals, CommentsMayFollowAStatement) {
  EXPECT_EQ(RoleStatements("CREATE ROLE a -- first\n; -- CREATE ROLE b;\nCREATE ROLE c;--", "x"),
            (Lines{"CREATE ROLE a ", "CREATE ROLE c"}));
}

TEST(Globals, AStatementWithoutItsEndIsNone) {
  EXPECT_EQ(RoleStatements("", "x"), Lines{});
  EXPECT_EQ(RoleStatements("CREATE ROLE cut", "x"), Lines{});
  EXPECT_EQ(RoleStatements("CREATE ROLE \"cut;", "x"), Lines{});
  EXPECT_EQ(RoleStatements("-- only a comment", "x"), Lines{});
}

}  // namespace
