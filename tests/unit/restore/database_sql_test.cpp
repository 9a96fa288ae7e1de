#include "core/restore/database_sql.h"

#include <gtest/gtest.h>

#include "support.h"

namespace {

using mfi::core::DatabaseProperties;
using Lines = std::vector<std::string>;

DatabaseProperties Bank() {
  DatabaseProperties bank;
  bank.name = "bank";
  bank.owner = "it's \"mine\"";
  bank.encoding = "UTF8";
  bank.locale_provider = "libc";
  bank.collate = "C";
  bank.ctype = "C.UTF-8";
  return bank;
}

std::string Create(const DatabaseProperties& bank) { return CreateDatabaseStatement(bank, "new \"one\"", bank.owner); }

TEST(DatabaseSql, CreatesWithEveryKindOfLocale) {
  DatabaseProperties bank = Bank();
  EXPECT_EQ(Create(bank), R"(CREATE DATABASE "new ""one""" TEMPLATE template0 OWNER "it's ""mine""" ENCODING 'UTF8' )"
                          R"(LOCALE_PROVIDER "libc" LC_COLLATE 'C' LC_CTYPE 'C.UTF-8')");
  bank.locale_provider = "builtin";
  bank.locale = "C.UTF-8";
  EXPECT_NE(
      Create(bank).find(R"(LOCALE_PROVIDER "builtin" LC_COLLATE 'C' LC_CTYPE 'C.UTF-8' BUILTIN_LOCALE 'C.UTF-8')"),
      std::string::npos);
  bank.locale_provider = "icu";
  bank.locale = "de'DE";
  bank.icu_rules = "&a < 'g'";
  EXPECT_NE(Create(bank).find(R"( ICU_LOCALE 'de''DE' ICU_RULES '&a < ''g''')"), std::string::npos);
}

TEST(DatabaseSql, AProviderFromOutsideBringsNoOtherStatement) {
  DatabaseProperties bank = Bank();
  bank.locale_provider = "libc; DROP \"x\"";
  EXPECT_NE(Create(bank).find(R"( LOCALE_PROVIDER "libc; DROP ""x""" )"), std::string::npos);
}

TEST(DatabaseSql, SettingsAreOfTheDatabaseOrOfARoleInIt) {
  DatabaseProperties bank = Bank();
  bank.settings = {{"", "TimeZone", "Africa/Kigali"},
                   {"app/web", "bank.currency", "R'F\n\\x"},
                   {"", "search_path", R"("$user", public, "Odd, ""schema""",  lower)"},
                   {"", "Search_Path", ""},
                   {"", "temp_tablespaces", R"("")"}};
  EXPECT_EQ(SettingStatements(bank, "new"),
            (Lines{R"(ALTER DATABASE "new" SET "TimeZone" TO 'Africa/Kigali')",
                   "ALTER ROLE \"app/web\" IN DATABASE \"new\" SET \"bank.currency\" TO 'R''F\n\\x'",
                   R"(ALTER DATABASE "new" SET "search_path" TO '$user', 'public', 'Odd, "schema"', 'lower')",
                   R"(ALTER DATABASE "new" SET "Search_Path" TO '')",
                   R"(ALTER DATABASE "new" SET "temp_tablespaces" TO '')"}));
}

TEST(DatabaseSql, PrivilegesThatEveryDatabaseHasNeedNoStatement) {
  EXPECT_EQ(PrivilegeStatements(Bank(), "new"), Lines());
}

TEST(DatabaseSql, NoPrivilegesAtAllAreTakenFromEverybody) {
  DatabaseProperties bank = Bank();
  bank.acl = Lines();
  EXPECT_EQ(PrivilegeStatements(bank, "new"), (Lines{R"(REVOKE ALL ON DATABASE "new" FROM PUBLIC)",
                                                     R"(REVOKE ALL ON DATABASE "new" FROM "it's ""mine""")"}));
}

TEST(DatabaseSql, PrivilegesComeFromWhoGrantedThem) {
  DatabaseProperties bank = Bank();
  bank.owner = "boss";
  bank.acl = Lines{"teller=c/\"app=web/\"\"x\"\"\"", "=T/boss", "\"app=web/\"\"x\"\"\"=C*c*/boss"};
  EXPECT_EQ(PrivilegeStatements(bank, "new"),
            (Lines{R"(REVOKE ALL ON DATABASE "new" FROM PUBLIC)", R"(REVOKE ALL ON DATABASE "new" FROM "boss")",
                   R"(GRANT TEMPORARY ON DATABASE "new" TO PUBLIC)",
                   R"(GRANT CREATE ON DATABASE "new" TO "app=web/""x""" WITH GRANT OPTION)",
                   R"(GRANT CONNECT ON DATABASE "new" TO "app=web/""x""" WITH GRANT OPTION)",
                   R"(SET SESSION AUTHORIZATION "app=web/""x""")", R"(GRANT CONNECT ON DATABASE "new" TO "teller")",
                   "RESET SESSION AUTHORIZATION"}));
}

TEST(DatabaseSql, WhatIsNoEntryOfPrivilegesIsRefused) {
  DatabaseProperties bank = Bank();
  for (const char* text :
       {"", "=", "boss", "boss=c", "boss=c/", "boss/c=", "\"boss=c/boss", "boss=x/boss", "boss=*/boss"}) {
    bank.acl = Lines{text};
    EXPECT_EQ(mfi::test::ErrorOf([&] { PrivilegeStatements(bank, "new"); }).sqlstate(),
              mfi::core::sqlstate::kDataCorrupted)
        << text;
  }
}

TEST(DatabaseSql, LimitAndComment) {
  DatabaseProperties bank = Bank();
  EXPECT_EQ(AttributeStatements(bank, "new"), Lines());
  bank.connection_limit = 0;
  bank.comment = "Bob's";
  EXPECT_EQ(AttributeStatements(bank, "new"),
            (Lines{R"(ALTER DATABASE "new" CONNECTION LIMIT 0)", R"(COMMENT ON DATABASE "new" IS 'Bob''s')"}));
}

TEST(DatabaseSql, ATablespaceIsWhatTheTargetHas) {
  DatabaseProperties bank = Bank();
  bank.tablespace = "of the source";
  EXPECT_EQ(Create(bank).find("TABLESPACE"), std::string::npos);
  EXPECT_TRUE(CreateDatabaseStatement(bank, "new", bank.owner, "fast \"disk\"")
                  .ends_with(R"( LC_CTYPE 'C.UTF-8' TABLESPACE "fast ""disk""")"));
}

TEST(DatabaseSql, TemplateAndLabels) {
  DatabaseProperties bank = Bank();
  EXPECT_EQ(TemplateStatements(bank, "new"), Lines());
  bank.is_template = true;
  EXPECT_EQ(TemplateStatements(bank, "new"), (Lines{R"(ALTER DATABASE "new" IS_TEMPLATE true)"}));
  EXPECT_EQ(mfi::core::LabelStatement({"odd \"provider\"", "it's"}, "new"),
            R"(SECURITY LABEL FOR "odd ""provider""" ON DATABASE "new" IS 'it''s')");
}

}  // namespace
