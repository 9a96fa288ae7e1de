#include "core/base/connect_failure.h"

#include <gtest/gtest.h>

using mfi::core::ConnectFailure;
using mfi::core::ParseConnectFailure;

namespace {

void Expect(const char* verbose, const char* message, const char* sqlstate) {
  const ConnectFailure failure = ParseConnectFailure(verbose);
  EXPECT_EQ(failure.message, message) << verbose;
  EXPECT_EQ(failure.sqlstate, sqlstate) << verbose;
}

TEST(ConnectFailure, KnowsTheServersStateInAnyLanguage) {
  Expect(
      "connection to server on socket \"/tmp/.s.PGSQL.5432\" failed: FATAL:  28000: no pg_hba.conf entry for host "
      "\"[local]\"\nLOCATION:  ClientAuthentication, auth.c:543",
      "connection to server on socket \"/tmp/.s.PGSQL.5432\" failed: FATAL:  no pg_hba.conf entry for host \"[local]\"",
      "28000");
  Expect(
      "... fehlgeschlagen: FATAL:  42501: keine Berechtigung, um Parameter »lc_messages« zu setzen\nORT:  f, guc.c:1",
      "... fehlgeschlagen: FATAL:  keine Berechtigung, um Parameter »lc_messages« zu setzen", "42501");
  Expect(
      "a: FATAL:  57P03: starting\nDETAIL:  Not yet.\nLOCATION:  f, p.c:1\nb: FATAL:  28P01: no\nLOCATION:  f, p.c:2",
      "a: FATAL:  starting\nDETAIL:  Not yet.\nb: FATAL:  no", "28P01");
}

TEST(ConnectFailure, LeavesOtherTextAsItIs) {
  for (const char* text :
       {"", "could not translate host name \"x\"", "connection failed: No such file or directory\n\tIs it running?",
        "FATAL:  28000 no", "FATAL:  2800: no", "FATAL:  abcde: no", "FATAL:  ", ":  ", "LOCATION:  f, a.c:", "x, y:12",
        "FATAL:  28000"}) {
    Expect(text, text, "");
  }
}

}  // namespace
