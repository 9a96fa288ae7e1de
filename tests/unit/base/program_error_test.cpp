#include <gtest/gtest.h>

#include "core/base/names.h"
#include "core/base/server_messages.h"

namespace {

using mfi::core::KnownServerMessage;

std::string ProgramError(std::string_view text) { return mfi::core::ProgramError(text, 8, 2000); }

constexpr char kUnknown[] = "the server refused it in words that may quote a row";

TEST(ProgramError, IsItsFirstErrorWithWhatItWasAt) {
  EXPECT_EQ(
      ProgramError("pg_restore: warning: old\npg_restore: while PROCESSING TOC:\n"
                   "pg_restore: from TOC entry 3; 2606 16 CHECK CONSTRAINT public t c bank\n"
                   "pg_restore: error: could not execute query: ERROR:  check constraint \"c\" of relation \"t\" is "
                   "violated by some row\nCommand was: ALTER TABLE t ADD CHECK (pin <> '1234');\n"
                   "pg_restore: error: a worker process died unexpectedly\n"),
      "pg_restore: while PROCESSING TOC:\npg_restore: from TOC entry 3; 2606 16 CHECK CONSTRAINT public t c bank\n"
      "pg_restore: error: could not execute query: check constraint \"...\" of relation \"...\" is violated by some "
      "row");
  EXPECT_EQ(ProgramError("pg_dump: error: could not open output file \"/b/x\": No space left on device\n"),
            "pg_dump: error: could not open output file \"/b/x\": No space left on device");
  EXPECT_EQ(mfi::core::ProgramError("pg_dump: error: could not write\n", 8, 15), "pg_dump: error:");
}

TEST(ProgramError, QuotesNoRow) {
  const std::string row = "Uwase 1199080012345678";
  for (const std::string& text : {
           "pg_restore: error: COPY failed for table \"customers\": ERROR:  invalid input syntax for type integer: \"" +
               row + "\"\nCONTEXT:  COPY customers, line 1, column id: \"" + row + "\"\n",
           "pg_restore: error: COPY failed for table \"customers\": ERROR:  new row for relation \"customers\" "
           "violates "
           "check constraint \"c\"\nDETAIL:  Failing row contains (" +
               row + ").\nCONTEXT:  COPY customers, line 1: \"" + row + "\"\n",
           "pg_restore: error: could not execute query: ERROR:  could not create unique index \"u\"\n"
           "DETAIL:  Key (name)=(" +
               row + ") is duplicated.\nCommand was: ALTER TABLE t\n",
           "pg_restore: error: could not execute query: ERROR:  insert or update on table \"a\" violates foreign key "
           "constraint \"b\"\nDETAIL:  Key (a)=(" +
               row + ") is not present in table \"b\".\n",
           "pg_restore: error: could not execute query: ERROR:  " + row + "\nCONTEXT:  PL/pgSQL function f()\n",
           "pg_restore: error: could not execute query: FEHLER:  doppelter Schluessel " + row + "\n",
           "pg_restore: error: could not execute query: ERROR:  relation \"" + row + "\" does not exist\n",
           "pg_restore: error: could not execute query: ERROR:  x\npg_restore: error: could not open \"" + row + "\"\n",
           "pg_restore: error: could not execute query: ERROR:  x\npg_restore: detail: Error message from server: " +
               row,
           "pg_dump: error: Dumping the contents of table \"t\" failed: PQgetResult() failed.\npg_dump: detail: Error "
           "message from server: ERROR:  " +
               row + "\npg_dump: detail: Command was: COPY t TO stdout;\n",
           "pg_dump: error: query failed: ERROR:  x\npg_dump: detail: Query was: SELECT '" + row + "'\n",
           "2026-11-25 02:00:00 UTC [7] ERROR:  " + row + "\n2026-11-25 02:00:00 UTC [7] STATEMENT:  " + row + "\n",
           "2026-11-25 02:00:00 UTC [7] FATAL:  " + row + "\n",
           "ERROR:  " + row + "\nDETAIL:  " + row + "\nthe last line " + row + "\n",
           "pg_dump: error: query failed: ERROR:  x\npg_dump: detail: Error message from server: " + row + " a:  b\n",
           "2026-11-25 02:00:00 UTC [7] ERROR:  x\npg_restore: error: " + row + "\n",
           "the middle of a row " + row + "\npg_restore: error: " + row + std::string(40'000, 'x'),
       }) {
    EXPECT_EQ(ProgramError(text).find("Uwase"), std::string::npos) << text;
  }
}

TEST(ProgramError, SaysThatTheServersWordsAreLeftOut) {
  EXPECT_EQ(ProgramError("pg_restore: error: COPY failed for table \"t\": ERROR:  no such customer: Uwase\n"),
            std::string("pg_restore: error: COPY failed for table \"t\": ") + kUnknown);
  EXPECT_EQ(
      ProgramError("pg_dump: error: Dumping the contents of table \"t\" failed: PQgetResult() failed.\npg_dump: "
                   "detail: Error message from server: ERROR:  canceling statement due to conflict with recovery\n"),
      "pg_dump: error: Dumping the contents of table \"t\" failed: PQgetResult() failed.\n"
      "canceling statement due to conflict with recovery");
  EXPECT_EQ(
      ProgramError("2026-11-25 02:00:00 UTC [7] LOG:  x\n2026-11-25 02:00:00 UTC [7] FATAL:  could not map anonymous "
                   "shared memory: Cannot allocate memory\n"),
      "FATAL:  could not map anonymous shared memory: ...");
}

TEST(ProgramError, OfAProgramThatCouldNotBeLoadedIsWhatItSaidLast) {
  EXPECT_EQ(ProgramError(""), "");
  EXPECT_EQ(ProgramError("no word of it\npg_dump: error while loading shared libraries: libpq.so.5\n"),
            "no word of it\npg_dump: error while loading shared libraries: libpq.so.5");
  EXPECT_EQ(mfi::core::ProgramError("one\ntwo\nthree\n", 2, 100), "two\nthree");
  EXPECT_EQ(ProgramError("\n: error: x\n"), "");
}

TEST(ServerMessages, AreKnownByTheirPatternAndSayNothingElse) {
  EXPECT_EQ(KnownServerMessage("duplicate key value violates unique constraint \"a\""),
            "duplicate key value violates unique constraint \"...\"");
  EXPECT_EQ(KnownServerMessage("could not extend file \"base/1/2\": No space left on device"),
            "could not extend file \"...\": No space left on device");
  EXPECT_EQ(KnownServerMessage("invalid input syntax for type json"), "invalid input syntax for type ...");
  EXPECT_EQ(KnownServerMessage("deadlock detected"), "deadlock detected");
  EXPECT_EQ(KnownServerMessage("deadlock detected by Uwase"), "");
  EXPECT_EQ(KnownServerMessage("Uwase: deadlock detected"), "");
  EXPECT_EQ(KnownServerMessage(""), "");
}

}  // namespace
