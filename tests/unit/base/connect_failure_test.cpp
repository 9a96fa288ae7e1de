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

TEST(ConnectFailure, NobodyIsWhereNoHostIsOrNothingListens) {
  using mfi::core::TellsOfNobody;
  for (const char* nobody :
       {"connection to server at \"db2\" (10.0.0.2), port 5432 failed: Connection refused\n\tIs the server running on "
        "that host and accepting TCP/IP connections?\n",
        "connection to server at \"db2\" (::1), port 5432 failed: Network is unreachable\nconnection to server at "
        "\"db2\" (10.0.0.2), port 5432 failed: No route to host",
        "could not translate host name \"db-primary\" to address: Temporary failure in name resolution",
        "connection to server on socket \"/tmp/.s.PGSQL.5432\" failed: No such file or directory\n\tIs the server "
        "running locally and accepting connections on that socket?",
        "no connection within 5 s", "a-5432 did not answer within 5 s; no connection within 5 s",
        "a-5432 did not answer within 5 s; connection to server at \"b\" (10.0.0.2), port 5432 failed: Connection "
        "refused"}) {
    EXPECT_TRUE(TellsOfNobody(nobody)) << nobody;
  }
  for (const char* somebody :
       {"connection to server at \"db2\" (10.0.0.2), port 5432 failed: FATAL:  the database system is starting up",
        "connection to server at \"db2\" (10.0.0.2), port 5432 failed: server closed the connection unexpectedly",
        "connection to server at \"db2\" (10.0.0.2), port 5432 failed: Permission denied",
        "connection to server at \"a\" (10.0.0.2), port 5432 failed: Connection refused\nconnection to server at \"b\" "
        "(10.0.0.3), port 5432 failed: server does not support SSL, but SSL was required",
        "a-5432 did not answer within 5 s; connection to server at \"b\" (10.0.0.2), port 5432 failed: FATAL:  no",
        "connection to server at \"db2\" (10.0.0.2), port 5432 failed: FATAL:  x failed: Connection refused",
        "the server did not say which cluster and timeline it has", "invalid connection option \"x\""}) {
    EXPECT_FALSE(TellsOfNobody(somebody)) << somebody;
  }
}

}  // namespace
