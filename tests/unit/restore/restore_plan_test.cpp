#include "core/restore/restore_plan.h"

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace {

using namespace mfi::core;

const RightsOfRoles kRights{{"sql", "plpgsql"}, {"log_min_messages", "session_replication_role"}, {"public.hstore"}};

/// The script of one entry as pg_restore --verbose writes it.
std::string Entry(int id, const std::string& statements) {
  return "--\n-- TOC entry " + std::to_string(id) +
         " (class 1255 OID 16411)\n-- Name: x; Type: y; Schema: z; Owner: o\n--\n\n" + statements + "\n\n";
}

/// Whether only a superuser may restore an entry of this kind with this definition.
bool SuperuserOnly(const std::string& kind, const std::string& definition) {
  const auto entries = ParseListing("7; 1255 16411 " + kind + " app x teller\n");
  const RestorePlan plan = PlanRestore(entries, ParseDefinitions(Entry(7, definition)), kRights);
  return !plan.superuser_only.empty();
}

std::string Shown(const RestorePlan& plan) {
  std::string text = "frame";
  for (const std::uint32_t id : plan.frame) text += " " + std::to_string(id);
  for (const RestoreStep& step : plan.body) {
    text += step.by == Restorer::kSandboxed    ? "; sandboxed"
            : step.by == Restorer::kStatements ? "; statements"
            : step.by == Restorer::kRefresh    ? "; refresh"
                                               : "; role";
    for (const std::uint32_t id : step.entries) text += " " + std::to_string(id);
  }
  text += "; end";
  for (const std::uint32_t id : plan.end) text += " " + std::to_string(id);
  text += "; privileges";
  for (const std::uint32_t id : plan.privileges) text += " " + std::to_string(id);
  return text;
}

TEST(RestorePlan, FunctionsOfLanguagesThatEverybodyMayUseAreTheRestorers) {
  const std::string head = "CREATE FUNCTION app.f(language text DEFAULT 'c', leakproof integer) RETURNS integer\n    ";
  EXPECT_FALSE(SuperuserOnly("FUNCTION", head + "LANGUAGE sql\n    AS $$ SELECT 1 -- LANGUAGE c LEAKPROOF\n$$;"));
  EXPECT_FALSE(SuperuserOnly("FUNCTION", head +
                                             "LANGUAGE plpgsql IMMUTABLE SECURITY DEFINER\n    SET work_mem TO '1MB'\n"
                                             "    SET search_path TO 'log_min_messages', 'x'\n    AS 'LEAKPROOF';"));
  EXPECT_FALSE(
      SuperuserOnly("PROCEDURE", "CREATE PROCEDURE app.p()\n    LANGUAGE sql\n    BEGIN ATOMIC\n SELECT 1;\nEND;"));
  EXPECT_TRUE(SuperuserOnly("FUNCTION", head + "LANGUAGE c\n    AS '$libdir/x', 'f';"));
  EXPECT_TRUE(SuperuserOnly("FUNCTION", head + "LANGUAGE internal\n    AS $$int4in$$;"));
  EXPECT_TRUE(SuperuserOnly("FUNCTION", head + "LANGUAGE plperlu\n    AS $_$x$_$;"));
  EXPECT_TRUE(SuperuserOnly("FUNCTION", head + "LANGUAGE \"SQL\"\n    AS 'x';")) << "another language than sql";
  EXPECT_TRUE(SuperuserOnly("FUNCTION", head + "LANGUAGE sql LEAKPROOF\n    AS 'x';"));
  EXPECT_TRUE(SuperuserOnly("FUNCTION", head + "LANGUAGE sql SUPPORT app.s\n    AS 'x';"));
  EXPECT_TRUE(SuperuserOnly("FUNCTION", "")) << "what is not known is not given to anybody who may write";
}

TEST(RestorePlan, NamesThatAreWordsOfSqlMakeNoFunctionTheSuperusers) {
  const std::string behind = "\n    LANGUAGE sql\n    AS $$SELECT 1$$;";
  for (const char* head :
       {"app.language(x app.d[] DEFAULT '{1}'::app.d[]) RETURNS integer", "app.f() RETURNS app.language",
        "app.f() RETURNS language.t", "language.f() RETURNS integer", "app.leakproof() RETURNS app.support",
        "app.f() RETURNS TABLE(language text, support text)", "app.f(OUT set text, as app.begin) RETURNS record"}) {
    EXPECT_FALSE(SuperuserOnly("FUNCTION", "CREATE FUNCTION " + std::string(head) + behind)) << head;
  }
  EXPECT_FALSE(SuperuserOnly("FUNCTION",
                             "CREATE FUNCTION app.f() RETURNS integer\n    LANGUAGE sql\n    BEGIN ATOMIC\n SELECT "
                             "t.support, leakproof FROM app.t;\nEND;"));
  EXPECT_FALSE(
      SuperuserOnly("FUNCTION",
                    "CREATE FUNCTION app.f() RETURNS integer\n    LANGUAGE sql\n    RETURN (SELECT support FROM "
                    "app.t);"));
  EXPECT_TRUE(SuperuserOnly("FUNCTION", "CREATE FUNCTION app.language() RETURNS app.sql\n    LANGUAGE c\n    AS 'x';"));
  EXPECT_FALSE(
      SuperuserOnly("FOREIGN TABLE",
                    "CREATE FOREIGN TABLE app.options (\n    program text OPTIONS (filename 'x'),\n    filename "
                    "text\n)\nSERVER program\nOPTIONS (\n    schema_name 'program'\n);"));
  EXPECT_TRUE(SuperuserOnly("FOREIGN TABLE",
                            "CREATE FOREIGN TABLE app.t (\n    v text\n)\nSERVER f\nOPTIONS (\n    format 'csv',\n    "
                            "\"filename\" '/x'\n);"));
  EXPECT_FALSE(SuperuserOnly("FOREIGN DATA WRAPPER", "CREATE FOREIGN DATA WRAPPER handler OPTIONS (\n    a 'b'\n);"));
}

TEST(RestorePlan, WhatFunctionsSetIsGivenToTheRestorer) {
  const auto entries = ParseListing("7; 1255 16411 FUNCTION app f() teller\n");
  const RestorePlan plan = PlanRestore(
      entries,
      ParseDefinitions(Entry(7,
                             "CREATE FUNCTION app.f() RETURNS integer\n    LANGUAGE sql\n    SET log_min_messages TO "
                             "'error'\n    SET \"my.Odd\" TO 'set'\n    SET work_mem TO '1MB'\n    AS $$SELECT 1$$;")),
      kRights);
  EXPECT_EQ(Shown(plan), "frame; role 7; end; privileges");
  EXPECT_EQ(plan.parameters, (std::vector<std::string>{"log_min_messages", "my.Odd"}));
}

TEST(RestorePlan, NoLibraryIsLoadedByAFunctionsSetting) {
  const RightsOfRoles rights{{"sql"}, {"session_preload_libraries", "log_statement"}, {}};
  const auto plan = [&](const std::string& setting) {
    return PlanRestore(ParseListing("7; 1255 16411 FUNCTION app f() teller\n"),
                       ParseDefinitions(Entry(7, "CREATE FUNCTION app.f() RETURNS integer\n    LANGUAGE sql\n    SET " +
                                                     setting + " TO ''\n    AS $$SELECT 1$$;")),
                       rights);
  };
  EXPECT_EQ(Shown(plan("session_preload_libraries")), "frame; sandboxed 7; end; privileges");
  EXPECT_TRUE(plan("session_preload_libraries").parameters.empty());
  EXPECT_EQ(Shown(plan("log_statement")), "frame; role 7; end; privileges");
}

/// What a superuser would run of an entry with these statements; "refused" when one is not of its kind.
std::string Runs(const std::string& kind, const std::string& statements) {
  const auto entries = ParseListing("7; 0 0 " + kind + " app x teller\n");
  std::string shown;
  try {
    for (const std::string& statement : SuperuserStatements(entries.at(0), ParseDefinitions(Entry(7, statements)))) {
      shown += statement + "|";
    }
  } catch (const Error& error) {
    return "refused";
  }
  return shown;
}

TEST(RestorePlan, ASuperuserRunsNothingButWhatAnEntryIsFor) {
  EXPECT_EQ(Runs("SCHEMA", "CREATE SCHEMA app;\n\nALTER SCHEMA app OWNER TO teller;\nSET default_tablespace = '';"),
            "CREATE SCHEMA app|");
  EXPECT_EQ(Runs("SCHEMA", "-- *not* creating schema, since initdb creates it"), "");
  EXPECT_EQ(Runs("EXTENSION", "CREATE EXTENSION IF NOT EXISTS \"uuid-ossp\" WITH SCHEMA public;"),
            "CREATE EXTENSION IF NOT EXISTS \"uuid-ossp\" WITH SCHEMA public|");
  EXPECT_EQ(Runs("COMMENT", "COMMENT ON TABLE app.t IS '; COPY x TO PROGRAM ''y''';"),
            "COMMENT ON TABLE app.t IS '; COPY x TO PROGRAM ''y'''|");
  EXPECT_EQ(Runs("EVENT TRIGGER",
                 "CREATE EVENT TRIGGER e ON sql_drop\n   EXECUTE FUNCTION app.f();\n\nALTER EVENT TRIGGER e ENABLE "
                 "ALWAYS;\n\nALTER EVENT TRIGGER e OWNER TO postgres;"),
            "CREATE EVENT TRIGGER e ON sql_drop\n   EXECUTE FUNCTION app.f()|ALTER EVENT TRIGGER e ENABLE ALWAYS|");
  EXPECT_EQ(
      Runs("ACL",
           "REVOKE ALL ON TABLE app.t FROM x;\nSET SESSION AUTHORIZATION teller;\nGRANT SELECT(a) ON TABLE app.t TO "
           "x;\nRESET SESSION AUTHORIZATION;"),
      "REVOKE ALL ON TABLE app.t FROM x|SET SESSION AUTHORIZATION teller|GRANT SELECT(a) ON TABLE app.t TO x|RESET "
      "SESSION AUTHORIZATION|");
  EXPECT_EQ(
      Runs("SUBSCRIPTION",
           "CREATE SUBSCRIPTION s CONNECTION 'connect' PUBLICATION p WITH (connect = false, slot_name = 'connect');"),
      "CREATE SUBSCRIPTION s CONNECTION 'connect' PUBLICATION p WITH (connect = false, slot_name = 'connect')|");
  const std::string named_connect =
      "CREATE SUBSCRIPTION connect CONNECTION 'connect' PUBLICATION connect, \"with (\" WITH (connect = false)";
  EXPECT_EQ(Runs("SUBSCRIPTION", named_connect + ";"), named_connect + "|");
  EXPECT_EQ(Runs("TYPE", "CREATE TYPE app.lone;\nALTER TYPE app.lone OWNER TO teller;"), "CREATE TYPE app.lone|");
  EXPECT_EQ(Runs("MATERIALIZED VIEW DATA", "REFRESH MATERIALIZED VIEW app.m;"), "REFRESH MATERIALIZED VIEW app.m|");
  const std::string filter =
      "ALTER PUBLICATION p ADD TABLE ONLY app.t WHERE (((v > 1.5) AND (w = 'a.b'::text COLLATE pg_catalog.\"C\")))";
  EXPECT_EQ(Runs("PUBLICATION TABLE", filter + ";"), filter + "|");
  EXPECT_EQ(Runs("SHELL TYPE", "CREATE TYPE app.\"odd (\";"), "CREATE TYPE app.\"odd (\"|");
  const std::vector<std::pair<std::string, std::string>> others = {
      {"SCHEMA", "CREATE SCHEMA app CREATE TABLE t ();"},
      {"SCHEMA", "CREATE SCHEMA app; COPY (SELECT 1) TO PROGRAM 'id';"},
      {"EXTENSION", "CREATE EXTENSION IF NOT EXISTS x WITH SCHEMA public CASCADE;"},
      {"EXTENSION", "CREATE EXTENSION IF NOT EXISTS x WITH SCHEMA public; COPY (SELECT 1) TO PROGRAM 'id';"},
      {"COMMENT", "DO 'x';"},
      {"COMMENT", "COMMENT ON TABLE app.t IS 'x'; SELECT 1;"},
      {"ACL", "GRANT pg_execute_server_program TO teller;"},
      {"ACL", "ALTER ROLE teller SUPERUSER;"},
      {"ACL", "SET ROLE postgres;"},
      {"DEFAULT ACL", "ALTER TABLE app.t OWNER TO x, ADD CHECK (app.f());"},
      {"PUBLICATION TABLE", "CREATE TABLE t ();"},
      {"PUBLICATION", "CREATE --\rTABLE app.z AS SELECT app.go() /*\n publication */;"},
      {"PUBLICATION", "CREATE PUBLICATION p FOR TABLE app.t WHERE ('{1}'::app.w[] IS NULL);"},
      {"PUBLICATION", "CREATE PUBLICATION p FOR TABLE app.t WHERE (app.w '1' IS NULL);"},
      {"PUBLICATION TABLE", "ALTER PUBLICATION p ADD TABLE ONLY app.t WHERE ((v = '{1}'));"},
      {"PUBLICATION TABLE", "ALTER PUBLICATION p ADD TABLE ONLY app.t WHERE ((v = $$1$$));"},
      {"PUBLICATION TABLE", "ALTER PUBLICATION p ADD TABLE ONLY app.t WHERE ((CAST('1' AS app.w) IS NULL));"},
      {"ACL", "GRANT pg_write_server_files TO--\r teller/*\n on */;"},
      {"SUBSCRIPTION", "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p;"},
      {"SUBSCRIPTION",
       "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (connect = false, \"connect\" = true);"},
      {"SUBSCRIPTION", "ALTER SUBSCRIPTION s ENABLE;"},
      {"SUBSCRIPTION", "CREATE SUBSCRIPTION connect CONNECTION 'x' PUBLICATION connect WITH (slot_name = 'false');"},
      {"SUBSCRIPTION", "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p, connect WITH (\"connect\" = false);"},
      {"SUBSCRIPTION", "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH connect = false;"},
      {"TYPE", "CREATE TYPE app.t AS ENUM ();"},
      {"MATERIALIZED VIEW DATA", "SELECT app.f();"},
      {"SHELL TYPE", "CREATE TYPE app.t (INPUT = f);"},
      {"FOREIGN DATA WRAPPER", "CREATE FUNCTION f();"},
      {"FOREIGN DATA WRAPPER", "CREATE FOREIGN DATA WRAPPER w; CREATE FOREIGN DATA WRAPPER b VALIDATOR app.v;"},
      {"FOREIGN DATA WRAPPER", "CREATE FOREIGN DATA WRAPPER w OPTIONS (a 'b') HANDLER app.h;"},
      {"TABLE", "CREATE TABLE app.t ();"}};
  for (const auto& [kind, statements] : others) EXPECT_EQ(Runs(kind, statements), "refused") << kind << statements;
}

TEST(RestorePlan, ViewsAreFilledBeforeAServerCanBeLoggedInTo) {
  const auto entries = ParseListing(
      "1; 0 0 USER MAPPING - USER MAPPING teller SERVER s postgres\n2; 0 0 MATERIALIZED VIEW app m teller\n"
      "3; 0 0 MATERIALIZED VIEW DATA app m teller\n4; 0 0 INDEX app i teller\n5; 0 0 TYPE app lone teller\n");
  const std::string mapping = "CREATE USER MAPPING FOR teller SERVER s OPTIONS (\n    password 'x'\n);";
  EXPECT_EQ(
      Shown(PlanRestore(entries, ParseDefinitions(Entry(1, mapping) + Entry(5, "CREATE TYPE app.lone;")), kRights)),
      "frame; role 2 4; statements 5; refresh 3; role 1; end; privileges");
}

TEST(RestorePlan, AnOwnersStatementDoesNothingElse) {
  const auto entries = ParseListing("7; 1259 5 TABLE app t teller\n");
  for (const char* statement :
       {"ALTER TABLE app.t ALTER v TYPE integer USING app.f(), OWNER TO teller;", "ALTER TABLE app.t RENAME TO x;"}) {
    const RestorePlan plan = PlanRestore(entries, ParseDefinitions(Entry(7, statement)), kRights);
    EXPECT_TRUE(plan.owners.empty()) << statement;
  }
}

TEST(RestorePlan, TypesCastsAndWhatBelongsToThem) {
  EXPECT_FALSE(SuperuserOnly("TYPE", "CREATE TYPE app.t AS ENUM (\n    'a'\n);"));
  EXPECT_FALSE(SuperuserOnly("TYPE", "CREATE TYPE app.t AS (\n\tv integer\n);"));
  EXPECT_FALSE(SuperuserOnly("TYPE", "CREATE TYPE \"a.b\".\"t (\" AS RANGE (\n    subtype = integer\n);"));
  EXPECT_FALSE(SuperuserOnly("SHELL TYPE", "CREATE TYPE app.t;"));
  EXPECT_TRUE(SuperuserOnly("TYPE", "CREATE TYPE app.t (\n    INTERNALLENGTH = 4\n);"));
  EXPECT_TRUE(SuperuserOnly("TYPE", "CREATE TYPE t (\n    INTERNALLENGTH = 4\n);"));
  EXPECT_TRUE(
      SuperuserOnly("AGGREGATE", "CREATE AGGREGATE app.a(integer) (\n    SFUNC = f,\n    STYPE = internal\n);"));
  EXPECT_FALSE(
      SuperuserOnly("AGGREGATE", "CREATE AGGREGATE app.internal(integer) (\n    SFUNC = f,\n    STYPE = integer\n);"));
  EXPECT_TRUE(SuperuserOnly("CAST", "CREATE CAST (app.t AS integer) WITHOUT FUNCTION;"));
  EXPECT_TRUE(SuperuserOnly("CAST", "CREATE CAST (text AS integer) WITH INOUT;"));
  EXPECT_FALSE(SuperuserOnly("CAST", "CREATE CAST (app.t AS integer) WITH FUNCTION app.f(app.t);"));
  EXPECT_TRUE(SuperuserOnly("CAST", "CREATE CAST (text AS integer) WITH FUNCTION app.f(text);"));
  EXPECT_TRUE(SuperuserOnly("CAST", "CREATE CAST (public.hstore AS boolean) WITH FUNCTION app.f(public.hstore);"));
  EXPECT_FALSE(SuperuserOnly("CAST", "CREATE CAST (public.hstore AS app.t) WITH FUNCTION app.f(public.hstore);"));
  EXPECT_TRUE(
      SuperuserOnly("OPERATOR CLASS", "CREATE OPERATOR CLASS app.o FOR TYPE integer USING btree AS OPERATOR 1 <;"));
  EXPECT_TRUE(SuperuserOnly("TEXT SEARCH TEMPLATE", "CREATE TEXT SEARCH TEMPLATE app.t (LEXIZE = app.l);"));
  EXPECT_FALSE(
      SuperuserOnly("USER MAPPING", "CREATE USER MAPPING FOR x SERVER s OPTIONS (\n    \"user\" 'sslcert'\n);"));
  EXPECT_TRUE(
      SuperuserOnly("USER MAPPING", "CREATE USER MAPPING FOR x SERVER s OPTIONS (\n    password_required 'false'\n);"));
  EXPECT_TRUE(SuperuserOnly("FOREIGN TABLE", "CREATE FOREIGN TABLE app.t () SERVER f OPTIONS (\n    program 'id'\n);"));
  EXPECT_FALSE(SuperuserOnly("FOREIGN DATA WRAPPER", "CREATE FOREIGN DATA WRAPPER w;"));
  EXPECT_TRUE(SuperuserOnly("FOREIGN DATA WRAPPER", "CREATE FOREIGN DATA WRAPPER w VALIDATOR app.v;"));
  EXPECT_TRUE(SuperuserOnly("FOREIGN DATA WRAPPER",
                            "CREATE FOREIGN DATA WRAPPER w; CREATE FOREIGN DATA WRAPPER b VALIDATOR app.v;"));
  EXPECT_FALSE(SuperuserOnly("TABLE", "CREATE TABLE app.t (v integer);"));
}

TEST(RestorePlan, PutsEveryEntryWhereItRunsNobodysCodeAsSuperuser) {
  const auto entries = ParseListing(
      "2; 2615 1 SCHEMA - app teller\n3; 3079 2 EXTENSION - dblink \n4; 0 0 COMMENT - EXTENSION dblink \n"
      "5; 1255 3 FUNCTION app f() teller\n6; 1255 4 FUNCTION app c() postgres\n7; 1259 5 TABLE app t teller\n"
      "8; 0 5 TABLE DATA app t teller\n9; 1259 6 INDEX app i teller\n10; 3466 7 EVENT TRIGGER - e postgres\n"
      "11; 6104 8 PUBLICATION - p postgres\n12; 0 0 ACL app TABLE t teller\n13; 826 9 DEFAULT ACL app x teller\n"
      "14; 0 0 UNKNOWN THING app x teller\n");
  const Definitions definitions = ParseDefinitions(
      Entry(5,
            "CREATE FUNCTION app.f() RETURNS text\n    LANGUAGE sql\n    AS $_$SELECT $$\n-- TOC entry 6 (x)\n;\nALTER "
            "TABLE app.t OWNER TO postgres;\n$$$_$;\n\n\nALTER FUNCTION app.f() OWNER TO teller;") +
      Entry(6,
            "CREATE FUNCTION app.c() RETURNS integer\n    LANGUAGE c\n    AS '$libdir/x', 'c';\n\n\nALTER FUNCTION "
            "app.c() OWNER TO postgres;") +
      Entry(7,
            "CREATE TABLE app.t (\n    v integer DEFAULT 'ALTER TABLE app.t OWNER TO postgres;'::text\n);\n\n\nALTER "
            "TABLE "
            "app.t OWNER TO \"a OWNER TO b\";") +
      Entry(10,
            "CREATE EVENT TRIGGER e ON sql_drop EXECUTE FUNCTION app.f();\n\n\nALTER EVENT TRIGGER e OWNER TO "
            "postgres;"));
  const RestorePlan plan = PlanRestore(entries, definitions, kRights);
  EXPECT_EQ(Shown(plan), "frame 2 3; role 5; sandboxed 6; role 7 8 9 14; end 4 10 11; privileges 12 13");
  EXPECT_EQ(plan.superuser_only, std::vector<std::string>{"FUNCTION app c()"});
  std::string owners;
  for (const OwnerStatement& owner : plan.owners) {
    owners += std::to_string(owner.entry) + ":" + owner.text + "|" + owner.text.substr(owner.role) + "\n";
  }
  EXPECT_EQ(owners,
            "5:ALTER FUNCTION app.f() OWNER TO teller|teller\n"
            "6:ALTER FUNCTION app.c() OWNER TO postgres|postgres\n"
            "7:ALTER TABLE app.t OWNER TO \"a OWNER TO b\"|\"a OWNER TO b\"\n");
  EXPECT_EQ(EntriesWithDefinitions(entries), (EntryIds{2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14}));
}

TEST(RestorePlan, AShellTypeIsMadeByWhoMakesTheType) {
  const auto entries = ParseListing(
      "5; 0 0 SHELL TYPE app base teller\n6; 1255 3 FUNCTION app base_in(cstring) teller\n7; 1247 4 TYPE app base "
      "teller\n"
      "8; 0 0 SHELL TYPE app span teller\n9; 1247 5 TYPE app span teller\n10; 2605 6 CAST - CAST (app.base AS integer) "
      "\n");
  const Definitions definitions =
      ParseDefinitions(Entry(5, "CREATE TYPE app.base;") +
                       Entry(6, "CREATE FUNCTION app.base_in(cstring) RETURNS app.base LANGUAGE internal AS 'x';") +
                       Entry(7, "CREATE TYPE app.base (INPUT = app.base_in);") + Entry(8, "CREATE TYPE app.span;") +
                       Entry(9, "CREATE TYPE app.span AS RANGE (subtype = integer);") +
                       Entry(10, "CREATE CAST (app.base AS integer) WITH FUNCTION app.f(app.base);"));
  EXPECT_EQ(Shown(PlanRestore(entries, definitions, kRights)),
            "frame; sandboxed 5 6 7; statements 8; role 9; sandboxed 10; end; privileges");
}

TEST(SqlText, SplitsAsTheServersScannerDoes) {
  const auto texts = [](std::string_view script) {
    std::string shown;
    for (const SqlStatement& s : SplitStatements(script)) shown += s.text + "|";
    return shown;
  };
  EXPECT_EQ(texts("SELECT 1; SELECT ';'; SELECT \";\" ;-- x;\nSELECT /* ; /* ; */ ; */ 2;"),
            "SELECT 1|SELECT ';'|SELECT \";\"|SELECT /* ; /* ; */ ; */ 2|");
  EXPECT_EQ(texts("SELECT $$;$$; SELECT $a$ $b$;$$ $a$; SELECT $1;"), "SELECT $$;$$|SELECT $a$ $b$;$$ $a$|SELECT $1|");
  EXPECT_EQ(texts("SELECT E'\\';x'; SELECT 'a\\'; SELECT e'\\\\'; SELECT u&'\\';"),
            "SELECT E'\\';x'|SELECT 'a\\'|SELECT e'\\\\'|SELECT u&'\\'|");
  EXPECT_EQ(texts("SELECT E'a' -- it's\n 'b\\';x'; SELECT 'a'\n'b\\'; SELECT E'a' 'b\\'; SELECT 2;"),
            "SELECT E'a' -- it's\n 'b\\';x'|SELECT 'a'\n'b\\'|SELECT E'a' 'b\\'|SELECT 2|");
  EXPECT_EQ(texts("SELECT a$b$; SELECT $é$;$é$;"), "SELECT a$b$|SELECT $é$;$é$|");
  EXPECT_EQ(texts("SELECT 1 -- x\rFROM t; SELECT 2;"), "SELECT 1 -- x\rFROM t|SELECT 2|");
  EXPECT_EQ(SplitTokens("a -- b\rc").size(), 2U);
  EXPECT_EQ(texts("\\restrict x;y\nSELECT 1;\n\\unrestrict x\n;;SELECT 'open;"), "SELECT 1|");
}

}  // namespace
