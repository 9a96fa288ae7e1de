#include "core/offsite/environment_file.h"
#include "core/offsite/keep_rule.h"
#include "core/offsite/repository_address.h"
#include "support.h"

namespace {

using namespace mfi::core;
using mfi::test::ErrorOf;
using Strings = std::vector<std::string>;

TEST(KeepRule, EachUnit) {
  EXPECT_EQ(ParseKeepRule("7d 5w 12m"), (std::vector<KeptPeriods>{{'d', 7}, {'w', 5}, {'m', 12}}));
  EXPECT_EQ(KeepOptions(ParseKeepRule("  24h   7d 5w 12m 3y ")),
            (Strings{"--keep-hourly=24", "--keep-daily=7", "--keep-weekly=5", "--keep-monthly=12", "--keep-yearly=3"}));
  EXPECT_TRUE(ParseKeepRule("").empty());
  EXPECT_TRUE(ParseKeepRule("   ").empty());
}

TEST(KeepRule, AnythingElseIsRefused) {
  for (const char* text : {"7", "d", "7 d", "0d", "-1d", "10000d", "7d,5w", "7D", "7d 7d", "7d 5x", "7d; rm",
                           "99999999999d", "+7d", "7.5d"}) {
    EXPECT_EQ(ErrorOf([&] { ParseKeepRule(text); }).sqlstate(), sqlstate::kInvalidParameterValue) << text;
  }
}

TEST(EnvironmentFile, Variables) {
  EXPECT_EQ(ParseEnvironment("# keys\n\nAWS_ACCESS_KEY_ID=abc\r\n  export B_2='two words'\nC=\"a=b\"\nD=\nE=it's"),
            (Strings{"AWS_ACCESS_KEY_ID=abc", "B_2=two words", "C=a=b", "D=", "E=it's"}));
  EXPECT_TRUE(ParseEnvironment("").empty());
}

TEST(EnvironmentFile, TheErrorNamesTheLineAndNotTheSecret) {
  for (const std::string text : {"A=1\nsecret", "A=1\n1A=secret", "A=1\n=secret", "A=1\nsec ret=x"}) {
    const Error error = ErrorOf([&] { ParseEnvironment(text); });
    EXPECT_EQ(error.sqlstate(), sqlstate::kConfigFile);
    EXPECT_STREQ(error.what(), "line 2 is no NAME=value");
    EXPECT_EQ(error.detail(), "");
  }
  EXPECT_EQ(ErrorOf([] { ParseEnvironment(std::string("A=1\0B", 5)); }).sqlstate(), sqlstate::kConfigFile);
}

TEST(RepositoryAddress, APasswordInIt) {
  for (const char* address : {"rest:https://u:p@host/", "rest:http://u:@host:8000/r", "s3:https://k:s@host/b",
                              "rest:https://u:p@ss@host/", "swift:x://a:b@c"}) {
    EXPECT_TRUE(HoldsPassword(address)) << address;
  }
  for (const char* address :
       {"", "/srv/r", "sftp:user@host:/srv/r", "sftp://user@host:2222//srv/r", "rest:https://host:8000/u:p@x/",
        "s3:https://host:9000/bucket", "s3:s3.amazonaws.com/bucket", "b2:bucket:path", "rclone:x:y"}) {
    EXPECT_FALSE(HoldsPassword(address)) << address;
  }
}

TEST(RepositoryAddress, OneSmallPackAtATimeGoesOverALine) {
  using Options = std::vector<std::string>;
  EXPECT_EQ(UploadOptions("rest:https://host/bank/"), (Options{"--pack-size=4", "--option=rest.connections=1"}));
  EXPECT_EQ(UploadOptions("sftp://user@host:2222//srv/r"), (Options{"--pack-size=4", "--option=sftp.connections=1"}));
  EXPECT_EQ(UploadOptions("s3:s3.amazonaws.com/bucket"), (Options{"--pack-size=4", "--option=s3.connections=1"}));
  for (const char* directory : {"/srv/r", "/mnt/a:b", "srv/a:b", "r", ""}) {
    EXPECT_EQ(UploadOptions(directory), Options{"--pack-size=4"}) << directory;
  }
}

}  // namespace
