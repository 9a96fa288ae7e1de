#include "os/server/connection.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>

#include "core/backup/contents.h"
#include "os/server/contents_reader.h"
#include "os/server/source_facts.h"
#include "os/server/table_locks.h"
#include "real_programs.h"

namespace {

using namespace mfi::os;
using namespace mfi::test;
using mfi::core::Error;

using ConnectionTest = RealPrograms;

std::string State(const std::function<void()>& call) { return ErrorOf(call).sqlstate(); }

TEST_F(ConnectionTest, AnswersQueriesAndErrorsAsTheServerSaysThem) {
  Connection connection = Connect();
  const std::vector<Row> rows = connection.Query("VALUES (1, NULL), (2, ''), (3, E'a\\nb')");
  EXPECT_EQ(rows, (std::vector<Row>{{"1", std::nullopt}, {"2", ""}, {"3", "a\nb"}}));
  EXPECT_EQ(connection.Value("SELECT NULL"), "");
  EXPECT_EQ(connection.Query("").size(), 0U);
  EXPECT_EQ(State([&] { connection.Query("SELECT 1; SELECT 2"); }), "42601");
  const std::string large(3'000'000, 'x');
  EXPECT_EQ(connection.Value("SELECT '" + large + "'"), large);
  connection.Execute("DO $$ BEGIN RAISE NOTICE 'for nobody'; END $$");

  EXPECT_EQ(State([&] { connection.Value("SELECT 1, 2"); }), mfi::core::sqlstate::kDataCorrupted);
  EXPECT_EQ(State([&] { connection.Value("SELECT generate_series(1, 2)"); }), mfi::core::sqlstate::kDataCorrupted);
  const Error error = ErrorOf(
      [&] { connection.Execute("DO $$ BEGIN RAISE 'a' USING DETAIL = 'b', HINT = 'c', ERRCODE = '55000'; END $$"); });
  EXPECT_EQ(error.sqlstate() + error.what() + error.detail() + error.hint(), "55000abc");
  EXPECT_EQ(connection.Value("SELECT 'still here'"), "still here");

  connection.Send("SELECT 'in pieces'");
  EXPECT_TRUE(connection.Ready(std::chrono::steady_clock::now() + std::chrono::seconds(30)));
  EXPECT_EQ(connection.Take().at(0).at(0), "in pieces");
}

TEST_F(ConnectionTest, AnAnswerWithoutEndIsAnErrorAndFillsNoMemory) {
  Connection large = Connect();
  const Error error = ErrorOf([&] { large.Query("SELECT repeat('x', 1000000) FROM generate_series(1, 400)"); });
  EXPECT_EQ(error.sqlstate(), mfi::core::sqlstate::kProgramLimitExceeded);
  EXPECT_STREQ(error.what(), "the server's answer is larger than 256 MB");
  EXPECT_EQ(State([&] { large.Execute("SELECT 1"); }), mfi::core::sqlstate::kConnectionFailure);

  // A COPY would be the result again and again.
  for (const char* copy : {"COPY (SELECT 1) TO STDOUT", "COPY pg_class FROM STDIN"}) {
    Connection copies = Connect();
    EXPECT_EQ(State([&] { copies.Query(copy); }), mfi::core::sqlstate::kConnectionFailure) << copy;
  }
  Connection wordy = Connect();
  const Error words = ErrorOf([&] {
    wordy.Execute("DO $$ BEGIN RAISE '%', 'x' || repeat('ä', 6000) USING DETAIL = repeat('y', 11000); END $$");
  });
  EXPECT_EQ(std::string(words.what()).size(), 9999U + 3);
  EXPECT_EQ(words.detail().size(), 10'003U);
  EXPECT_EQ(wordy.Value("SELECT 'still here'"), "still here");
}

TEST_F(ConnectionTest, EndsWithItsSession) {
  Connection connection = Connect();
  EXPECT_EQ(State([&] { connection.Execute("SELECT pg_terminate_backend(pg_backend_pid())"); }), "57P01");
  EXPECT_EQ(State([&] { connection.Execute("SELECT 1"); }), mfi::core::sqlstate::kConnectionFailure);
  EXPECT_EQ(State([&] {
              Connection(source_->server().OpenAs(SessionKind::kRestorer, "boss", "no such"), host_,
                         std::chrono::seconds(30));
            }),
            mfi::core::sqlstate::kConnectionFailure);
  EXPECT_EQ(State([&] {
              Connection({SessionKind::kProbe, "no such=option", "x", 17}, host_, std::chrono::seconds(30));
            }),
            mfi::core::sqlstate::kConnectionFailure);

  Connection waiting = Connect();
  const std::string pid = waiting.Value("SELECT pg_backend_pid()");
  waiting.Send("SELECT pg_sleep(1000)");
  host_.stop_when = [] { return true; };
  EXPECT_EQ(State([&] { waiting.Take(); }), mfi::core::sqlstate::kQueryCanceled);
  host_.stop_when = nullptr;
  Connection killer = Connect();
  killer.Execute("SELECT pg_terminate_backend(" + pid + ")");
  EXPECT_EQ(State([&] {
              while (!waiting.Ready(std::chrono::steady_clock::now() + std::chrono::milliseconds(20))) {
              }
              waiting.Take();
            }),
            "57P01");
  EXPECT_EQ(State([&] { waiting.Send("SELECT 1"); }), mfi::core::sqlstate::kConnectionFailure);
}

/// In place of the extension's functions, which these servers have not.
constexpr char kStandInForSequences[] =
    "CREATE FUNCTION pg_temp.position(sequence oid) RETURNS int8 LANGUAGE sql AS "
    "'SELECT coalesce(pg_catalog.pg_sequence_last_value(sequence), 0)'";
constexpr char kStandIn[] =
    "CREATE FUNCTION pg_temp.stand_in(relation oid, OUT rows int8, OUT hash text) LANGUAGE plpgsql AS "
    "'BEGIN EXECUTE ''SELECT pg_catalog.count(*) FROM ONLY '' || relation::pg_catalog.regclass INTO rows; END'";

/// What was counted, as `name=rows` (`?`: not counted), sequences as `name=low..high`.
std::string Shown(const mfi::core::Contents& contents) {
  std::string shown;
  for (const auto& table : contents.tables) {
    shown += table.name + "=" + (table.rows ? std::to_string(*table.rows) : "?") + " ";
  }
  for (const auto& s : contents.sequences) {
    shown += s.name + "=" + std::to_string(s.low) + ".." + std::to_string(s.high) + " ";
  }
  for (const std::string& name : contents.invalid_constraints) shown += "(" + name + ") ";
  return shown + std::to_string(contents.large_objects);
}

TEST_F(ConnectionTest, CountsWhatTheSnapshotHolds) {
  UseDatabase("bank");
  Connection other = Connect();
  for (const char* sql :
       {"CREATE TABLE a AS SELECT generate_series(1, 7) AS id", "CREATE TABLE \"O'dd \"\"b\" (x int)",
        "CREATE TABLE parted (x int) PARTITION BY LIST (x)", "CREATE TABLE part PARTITION OF parted FOR VALUES IN (1)",
        "INSERT INTO parted VALUES (1)", "CREATE UNLOGGED TABLE u AS SELECT 1 AS x", "CREATE VIEW v AS SELECT 1 AS x",
        "CREATE TABLE child (y int) INHERITS (a)", "INSERT INTO child VALUES (1, 2)", "CREATE SEQUENCE s",
        "SELECT nextval('s'), nextval('s')", "SELECT lo_from_bytea(0, 'x')",
        "ALTER TABLE a ADD CONSTRAINT positive CHECK (id > 5) NOT VALID"}) {
    other.Execute(sql);
  }
  const auto count = [&](const char* meanwhile) {
    Connection source = Connect(SessionKind::kSuperuserOnOthersData);
    source.Execute(kStandIn);
    source.Execute(kStandInForSequences);
    TableLocks locks(other, source, 5000);
    ContentsReader reader(source, {"pg_temp.stand_in", "pg_temp.position"});
    reader.Begin(locks.Take());
    EXPECT_NE(locks.snapshot(), "");
    other.Execute(meanwhile);
    other.Execute("INSERT INTO u VALUES (2)");
    while (!reader.Step(std::chrono::milliseconds(20))) {
    }
    EXPECT_TRUE(reader.Step(std::chrono::milliseconds(20)));
    return Shown(reader.Finish());
  };
  EXPECT_EQ(count("SELECT nextval('s')"),
            "public.\"O'dd \"\"b\"=0 public.a=7 public.child=1 public.part=1 public.u=1 public.s=2..3 "
            "(positive on public.a) (positive on public.child) 1");
  EXPECT_EQ(count("CREATE SEQUENCE later"),
            "public.\"O'dd \"\"b\"=0 public.a=7 public.child=1 public.part=1 public.u=2 public.s=3..3 "
            "(positive on public.a) (positive on public.child) 1");

  other.Execute(
      "DO $$ BEGIN FOR i IN 1..250 LOOP EXECUTE format('CREATE TABLE many%s AS SELECT 1 AS x', i); END LOOP; "
      "END $$");
  Connection source = Connect();
  source.Execute(kStandIn);
  source.Execute(kStandInForSequences);
  source.Execute("BEGIN");
  ContentsReader reader(source, {"pg_temp.stand_in", "pg_temp.position"});
  reader.Begin(ListTables(source));
  int counted = 0;
  const auto alone = reader.Finish();
  for (const auto& table : alone.tables) counted += table.rows.has_value() ? 1 : 0;
  EXPECT_EQ(counted, 255);

  Connection one = Connect();
  Connection two = Connect();
  for (Connection* helper : {&one, &two}) helper->Execute(kStandIn);
  ContentsReader together(source, {"pg_temp.stand_in", "pg_temp.position"}, {&one, &two});
  together.Begin(ListTables(source));
  while (!together.Step(std::chrono::milliseconds(1))) {
  }
  EXPECT_EQ(Shown(together.Finish()), Shown(alone));
}

TEST_F(ConnectionTest, ASnapshotSaysWhatItsSourceIs) {
  UseDatabase("bank");
  Connection source = Connect();
  for (const char* sql :
       {"CREATE ROLE app", "GRANT CONNECT ON DATABASE bank TO app", "ALTER DATABASE bank SET statement_timeout = '1h'",
        "ALTER ROLE app IN DATABASE bank SET work_mem = '5MB'", "CREATE SCHEMA mfi",
        "CREATE TABLE mfi.schema_version (version text)", "INSERT INTO mfi.schema_version VALUES ('1.9'), ('1.10')"}) {
    source.Execute(sql);
  }
  mfi::core::Manifest manifest;
  ReadSourceFacts(source, manifest);
  EXPECT_EQ(manifest.database.name + " " + manifest.database.owner + " " + manifest.database.encoding,
            "bank boss UTF8");
  EXPECT_EQ(manifest.database.collate + " " + manifest.database.locale_provider, "C libc");
  EXPECT_EQ(manifest.database.settings,
            (std::vector<mfi::core::DatabaseSetting>{{"", "statement_timeout", "1h"}, {"app", "work_mem", "5MB"}}));
  EXPECT_EQ(manifest.database.acl, (std::vector<std::string>{"=Tc/boss", "boss=CTc/boss", "app=c/boss"}));
  EXPECT_EQ(std::stoi(manifest.server_version), job_.server_major);
  EXPECT_EQ(manifest.run.source_role + " " + std::to_string(manifest.run.timeline), "primary 1");
  EXPECT_EQ(manifest.run.schema_version, "1.10");
  EXPECT_EQ(manifest.run.extension_version, "");
  EXPECT_EQ(manifest.run.system_identifier, Sql("SELECT system_identifier FROM pg_control_system()"));
  EXPECT_NE(manifest.run.snapshot_lsn.find('/'), std::string::npos);
}

/// A socket where clients look for a server.
UniqueFd ListenIn(const TempDirectory& d) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (d / ".s.PGSQL.5432").copy(address.sun_path, sizeof(address.sun_path) - 1);
  UniqueFd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_EQ(listen(listener.get(), SOMAXCONN), 0);
  return listener;
}

TEST(Connection, MakesNoRoomForAMessageThatIsTooLarge) {
  const TempDirectory d;
  const UniqueFd listener = ListenIn(d);
  for (const char type : {'D', 'E', 'N', 'A'}) {
    Forked server([&] {
      const UniqueFd client(accept(listener.get(), nullptr, nullptr));
      std::array<char, 1000> asked{};
      if (read(client.get(), asked.data(), asked.size()) <= 0) return 1;
      constexpr std::string_view kWelcome{"R\0\0\0\x8\0\0\0\0Z\0\0\0\x5I", 15};
      if (write(client.get(), kWelcome.data(), kWelcome.size()) < 0) return 1;
      if (read(client.get(), asked.data(), asked.size()) <= 0) return 1;
      std::string answer{
          "1\0\0\0\x4"
          "2\0\0\0\x4",
          10};
      answer += type;
      answer += std::string{"\x70\0\0\0", 4};  // 1.8 GB
      if (write(client.get(), answer.data(), answer.size()) < 0) return 1;
      while (read(client.get(), asked.data(), asked.size()) > 0) {
      }
      return 0;
    });
    TestHost host;
    {
      Connection connection(
          {SessionKind::kProbe, "host='" + d.path() + "' port=5432 user=x sslmode=disable gssencmode=disable", "x", 17},
          host, std::chrono::seconds(30));
      const Error error = ErrorOf([&] { connection.Query("SELECT 1"); });
      EXPECT_EQ(error.sqlstate(), mfi::core::sqlstate::kProgramLimitExceeded) << type << error.what();
    }
    EXPECT_EQ(server.Wait(), 0);
  }
}

TEST(Connection, GivesUpOnAServerThatDoesNotAnswer) {
  const TempDirectory d;
  const UniqueFd listener = ListenIn(d);
  TestHost host;
  try {
    Connection({SessionKind::kProbe, "host='" + d.path() + "' port=5432", "x", 17}, host, std::chrono::seconds(1));
    FAIL() << "connected";
  } catch (const ConnectError& error) {
    EXPECT_EQ(error.sqlstate(), mfi::core::sqlstate::kConnectionFailure);
    EXPECT_STREQ(error.what(), "no connection within 1 s");
    EXPECT_TRUE(error.taken()) << "somebody is there";
  }
}

/// A port of this machine that swallows what asks for a connection, as a machine without power does: its queue is full.
class SilentPort {
 public:
  SilentPort() : listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address_);
    EXPECT_EQ(bind(listener_.get(), Address(), length), 0);
    EXPECT_EQ(listen(listener_.get(), 0), 0);
    EXPECT_EQ(getsockname(listener_.get(), Address(), &length), 0);
    for (UniqueFd& filler : fillers_) {
      filler = UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
      connect(filler.get(), Address(), sizeof(address_));
    }
  }
  std::string Number() const { return std::to_string(ntohs(address_.sin_port)); }

 private:
  sockaddr* Address() { return reinterpret_cast<sockaddr*>(&address_); }

  sockaddr_in address_{};
  UniqueFd listener_;
  std::array<UniqueFd, 4> fillers_;
};

TEST(Connection, WhatSwallowsConnectionsHasNotTakenOne) {
  const SilentPort port;
  TestHost host;
  try {
    Connection({SessionKind::kProbe, "host=127.0.0.1 port=" + port.Number(), "x", 17}, host, std::chrono::seconds(4));
    FAIL() << "connected";
  } catch (const ConnectError& error) {
    EXPECT_STREQ(error.what(), "no connection within 4 s");
    EXPECT_FALSE(error.taken()) << "nobody has";
  }
}

TEST_F(ConnectionTest, OfSeveralServersASilentOneIsPassedOver) {
  const TempDirectory silent;
  const TempDirectory nobody;
  const UniqueFd listener = ListenIn(silent);
  const std::string real = Sql("SHOW unix_socket_directories");
  const auto where = [&](const std::string& hosts, const std::string& more = {}) {
    return Session(SessionKind::kSuperuserOnOthersData,
                   "host='" + hosts + "' port=5432 user=boss dbname=postgres gssencmode=disable " + more, "x", 17);
  };
  for (const std::string& hosts :
       {silent.path() + "," + real, nobody.path() + "," + silent.path() + "," + real, real + "," + silent.path()}) {
    for (const char* attributes : {"any", "primary", "prefer-standby"}) {
      Connection connection(where(hosts, std::string("target_session_attrs=") + attributes), host_,
                            std::chrono::seconds(3));
      EXPECT_EQ(connection.Server(), "host='" + real + "' port='5432'") << hosts << " " << attributes;
      EXPECT_EQ(connection.Value("SELECT 1"), "1");
    }
  }
  const Error error =
      ErrorOf([&] { Connection(where(silent.path() + "," + nobody.path()), host_, std::chrono::seconds(2)); });
  EXPECT_NE(std::string(error.what()).find(silent.path() + "-5432 did not answer within 1 s; "), std::string::npos)
      << error.what();
  EXPECT_NE(std::string(error.what()).find(nobody.path()), std::string::npos) << error.what();
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(State([&] { Connection(where(silent.path(), "connect_timeout=2"), host_, std::chrono::seconds(60)); }),
            mfi::core::sqlstate::kConnectionFailure);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(30));
}

}  // namespace
