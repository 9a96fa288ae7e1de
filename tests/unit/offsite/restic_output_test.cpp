#include "core/offsite/restic_output.h"

#include "support.h"

namespace {

using namespace mfi::core;
using mfi::test::ErrorOf;

TEST(ResticOutput, SnapshotsOldestFirst) {
  const auto snapshots = ParseSnapshots(
      R"([{"time":"2026-11-27T05:38:12.480950865+01:00","tree":"0a","paths":["/srv/backups/20261127T020000Z"],
           "hostname":"db-primary","username":"postgres","tags":["mfi-set","system-74"],"id":"81802313d5","short_id":"81"},
          {"time":"2026-11-27T04:37:42Z","paths":["/probe"],"hostname":"vm","tags":null,"id":"a7"}])");
  ASSERT_EQ(snapshots.size(), 2U);
  EXPECT_EQ(snapshots[0].id, "a7");
  EXPECT_TRUE(snapshots[0].tags.empty());
  EXPECT_EQ(snapshots[1], (Snapshot{.id = "81802313d5",
                                    .at = 1795754292,
                                    .host = "db-primary",
                                    .tags = {"mfi-set", "system-74"},
                                    .name = "20261127T020000Z"}));
  EXPECT_TRUE(snapshots[1].Has("mfi-set"));
  EXPECT_FALSE(snapshots[1].Has("mfi"));
  EXPECT_TRUE(ParseSnapshots("null\n").empty());
  EXPECT_TRUE(ParseSnapshots("[]").empty());
}

TEST(ResticOutput, WhatIsNoListIsAnError) {
  for (const char* text :
       {"", "{}", "[1]", R"([{"id":"a"}])", R"([{"time":"2026-11-27T04:37:42Z"}])", "[[[[[[[[[[[[[[[[[[[",
        R"([{"id":"a","time":"yesterday"}])", R"([{"id":"a","time":"2026-11-27T04:37:42+1"}])"}) {
    EXPECT_EQ(ErrorOf([&] { ParseSnapshots(text); }).sqlstate(), sqlstate::kDataCorrupted) << text;
  }
}

TEST(ResticOutput, TheSummaryOfACopy) {
  const CopySummary summary = ParseCopySummary(
      R"({"message_type":"status","percent_done":0}
{"message_type":"summary","files_new":2,"data_added":120006147,"data_added_packed":120012894,"total_files_processed":2,"total_bytes_processed":120000000,"snapshot_id":"a768"}
)");
  EXPECT_EQ(summary, (CopySummary{"a768", 2, 120'000'000, 120'012'894}));
  // restic 0.14 has no data_added_packed.
  EXPECT_EQ(ParseCopySummary(R"({"message_type":"summary","data_added":7,"snapshot_id":"b"})").stored, 7);
  for (const char* text : {"", "no JSON", R"({"message_type":"status"})", R"({"message_type":"summary"})"}) {
    EXPECT_EQ(ErrorOf([&] { ParseCopySummary(text); }).sqlstate(), sqlstate::kDataCorrupted) << text;
  }
}

TEST(ResticOutput, WhatIsForgotten) {
  EXPECT_EQ(ParseForgotten(R"([{"tags":null,"keep":[],"remove":[{"id":"a","time":"2026-11-27T04:37:42Z"},
                               {"id":"b","time":"2026-11-27T04:37:42Z"}]},{"remove":null}])"),
            (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(ParseForgotten("[]").empty());
}

TEST(ResticOutput, ALock) {
  const RepositoryLock lock = ParseLock(
      R"({"time":"2026-11-27T04:37:27.868487164Z","exclusive":true,"hostname":"vm","username":"root","pid":15811})");
  EXPECT_EQ(lock.host, "vm");
  EXPECT_EQ(lock.pid, 15811);
  EXPECT_EQ(lock.at, 1795754247);
  EXPECT_TRUE(lock.exclusive);
}

struct Failure {
  int exit_code;
  const char* errors;
  ResticFault fault;
  const char* words;
};

TEST(ResticOutput, TheFirstErrorOfItsOwn) {
  for (
      const Failure& f : std::initializer_list<Failure>{
          {12, R"({"message_type":"exit_error","code":12,"message":"Fatal: wrong password or no key found"})",
           ResticFault::kPassword, "wrong password or no key found"},
          {1, "Fatal: wrong password or no key found\n", ResticFault::kPassword, "wrong password or no key found"},
          {10,
           R"({"message_type":"exit_error","code":10,"message":"Fatal: repository does not exist: unable to open config file: <config/> does not exist\nIs there a repository at the following location?\nrest:http://h/none/"})",
           ResticFault::kNoRepository,
           "repository does not exist: unable to open config file: <config/> does not exist"},
          {1,
           "Fatal: unable to open config file: <config/> does not exist\nIs there a repository at the following "
           "location?\nrest:http://h/none/\n",
           ResticFault::kNoRepository, "unable to open config file: <config/> does not exist"},
          {11, "Fatal: unable to create lock in backend: repository is already locked by PID 1 on vm by root",
           ResticFault::kLocked,
           "unable to create lock in backend: repository is already locked by PID 1 on vm by root"},
          {1,
           "Stat(<config/>) returned error, retrying after 1.260509482s: Head \"http://h:1/r/config\": dial tcp h:1: "
           "connect: connection refused\n{\"message_type\":\"exit_error\",\"code\":1,\"message\":\"Fatal: unable to "
           "open "
           "config file: context canceled\\nIs there a repository at the following location?\\nrest:http://h:1/r/\"}",
           ResticFault::kOther, "Head \"http://h:1/r/config\": dial tcp h:1: connect: connection refused"},
          {1,
           "Fatal: unable to open config file: client.Head: dial tcp h:1: connect: connection refused\nIs there a "
           "repository at the following location?\n",
           ResticFault::kOther, "unable to open config file: client.Head: dial tcp h:1: connect: connection refused"},
          {1, "subprocess ssh: ssh: connect to host h port 22: Connection refused\nFatal: unable to open repository\n",
           ResticFault::kOther, "subprocess ssh: ssh: connect to host h port 22: Connection refused"},
          {3,
           R"({"message_type":"error","error":{"message":"lstat /b/x: no such file or directory"},"during":"archival"})",
           ResticFault::kOther, "lstat /b/x: no such file or directory"},
          {1, "error for tree f1c31236:\n  decrypting blob from 88182368 failed: ciphertext verification failed\n",
           ResticFault::kOther,
           "error for tree f1c31236: decrypting blob from 88182368 failed: ciphertext verification failed"},
          {137, "", ResticFault::kOther, "it ended with exit code 137 and said nothing"},
      }) {
    const ResticError error = ParseResticError(f.exit_code, f.errors);
    EXPECT_EQ(error.words, f.words);
    EXPECT_EQ(error.fault, f.fault) << f.errors;
  }
  EXPECT_LE(ParseResticError(1, std::string(5000, 'x')).words.size(), 300U);
}

TEST(ResticOutput, WhatIsNotTriedAgain) {
  EXPECT_TRUE(HasGivenUp("Save(<data/32ab4722c4>) failed: write /r: no space left on device\n"));
  EXPECT_FALSE(HasGivenUp("Save(<data/32ab4722c4>) returned error, retrying after 1s: connection refused\n"));
  EXPECT_FALSE(HasGivenUp("decrypting blob from 88182368 failed: ciphertext verification failed\n"));
}

}  // namespace
