#include <gtest/gtest.h>

#include <map>

#include "command/keycloak/options.h"
#include "command/keycloak/settings.h"
#include "support.h"

namespace {

using namespace mfi::command;
using mfi::test::ErrorOf;

using Variables = std::map<std::string, std::string>;

Environment With(const Variables& more) {
  Variables all = {{"KEYCLOAK_URL", "https://keycloak.example/"}, {"KEYCLOAK_CLIENT_ID", "c"}};
  for (const auto& [name, value] : more) all[name] = value;
  return [all](const char* name) { return all.count(name) > 0 ? all.at(name) : std::string(); };
}

std::string Refusal(const Variables& more, const std::string& realm = "r", const std::string& secret = "s") {
  return ErrorOf([&] { ReadKeycloakSettings(With(more), realm, secret); }).what();
}

TEST(KeycloakSettings, Defaults) {
  const KeycloakSettings settings = ReadKeycloakSettings(With({}), "r", "s");
  EXPECT_EQ(settings.access.url, "https://keycloak.example");
  EXPECT_EQ(settings.access.token_realm, "r");
  EXPECT_EQ(settings.access.tries, 5);
  EXPECT_EQ(settings.page, 100);
  EXPECT_EQ(settings.limits.answer_mb, 16);
  EXPECT_EQ(settings.limits.total_time, std::chrono::seconds(3600));
  EXPECT_FALSE(settings.server.allow_http);
}

TEST(KeycloakSettings, AreTaken) {
  const KeycloakSettings settings = ReadKeycloakSettings(With({{"KEYCLOAK_URL", "http://k"},
                                                               {"KEYCLOAK_ALLOW_HTTP", "yes"},
                                                               {"KEYCLOAK_TOKEN_REALM", "master"},
                                                               {"KEYCLOAK_RETRY_DELAY", "0.25"},
                                                               {"KEYCLOAK_TOTAL_MB", "3"},
                                                               {"KEYCLOAK_TIMEOUT", "7"}}),
                                                         "r", "s");
  EXPECT_TRUE(settings.server.allow_http);
  EXPECT_EQ(settings.access.token_realm, "master");
  EXPECT_EQ(settings.access.retry_delay.count(), 0.25);
  EXPECT_EQ(settings.limits.total_mb, 3);
  EXPECT_EQ(settings.limits.answer_time, std::chrono::seconds(7));
}

TEST(KeycloakSettings, ThatAreWrongAreNamed) {
  EXPECT_EQ(Refusal({{"KEYCLOAK_URL", ""}}), "KEYCLOAK_URL is not set");
  EXPECT_EQ(Refusal({}, ""), "KEYCLOAK_REALM is not set");
  EXPECT_EQ(Refusal({{"KEYCLOAK_CLIENT_ID", ""}}), "KEYCLOAK_CLIENT_ID is not set");
  EXPECT_EQ(Refusal({}, "r", ""), "KEYCLOAK_CLIENT_SECRET is not set");
  for (const char* number : {"0", "-1", "01", "1e3", "1000000", " 1", "x", "1\n"}) {
    EXPECT_NE(Refusal({{"KEYCLOAK_PAGE", number}}).find("must be whole numbers from 1"), std::string::npos) << number;
  }
  for (const char* delay : {"-1", "1.", ".5", "1.2.3", "12345", "1e9", "1,5"}) {
    EXPECT_NE(Refusal({{"KEYCLOAK_RETRY_DELAY", delay}}).find("must be a number of seconds"), std::string::npos);
  }
  for (const char* url : {"file:///x", "ftp://x", "x", "https://", "HTTPS://x", "-K/etc/passwd"}) {
    EXPECT_EQ(Refusal({{"KEYCLOAK_URL", url}}), "KEYCLOAK_URL must begin with https://");
  }
  EXPECT_NE(Refusal({{"KEYCLOAK_URL", "http://k"}, {"KEYCLOAK_ALLOW_HTTP", "YES"}}).find("is not https"),
            std::string::npos);
  for (const std::string& bad : {std::string("\n"), std::string("\x7f"), std::string(1, '\0')}) {
    EXPECT_EQ(Refusal({}, "r", "s" + bad), "KEYCLOAK_CLIENT_SECRET has a control character, such as a line break");
    EXPECT_EQ(Refusal({{"KEYCLOAK_CA_FILE", "/x" + bad}}),
              "KEYCLOAK_CA_FILE has a control character, such as a line break");
  }
}

TEST(KeycloakSecret, ComesFromTheEnvironmentOrAFile) {
  const mfi::test::TempDirectory directory;
  mfi::test::Write(directory / "secret", "of a \\ file\n\n");
  mfi::test::Write(directory / "empty", "");
  mfi::test::Write(directory / "large", std::string(100'000, 'x'));
  const auto read = [&](const std::string& value, const std::string& file) {
    return ReadClientSecret(
        With({{"KEYCLOAK_CLIENT_SECRET", value}, {"KEYCLOAK_CLIENT_SECRET_FILE", directory / file}}));
  };
  EXPECT_EQ(read("", "secret"), "of a \\ file");
  EXPECT_EQ(read("of the environment", "secret"), "of the environment");
  EXPECT_EQ(read("", "empty"), "");
  EXPECT_EQ(read("", "absent"), "");
  EXPECT_NE(std::string(ErrorOf([&] { read("", "large"); }).what()).find("could not read file"), std::string::npos);
}

TEST(KeycloakOptions, AreOneObject) {
  EXPECT_EQ(SyncOptions({}), R"({"dry_run": false})");
  KeycloakSyncOptions options;
  options.dry_run = true;
  options.options = {"max_delete_count=12345678901234567890123", "root_group_path=\"/a=b\"", "dry_run=false"};
  EXPECT_EQ(SyncOptions(options),
            "{\"max_delete_count\": 12345678901234567890123, \"root_group_path\": \"/a=b\", "
            "\"dry_run\": false, \"dry_run\": true}");
  for (const char* text : {"", "=1", "a", "a=", "a=b", "a={", "a=1 2", "a=1}", "a=nan"}) {
    EXPECT_FALSE(IsSyncOption(text)) << text;
  }
}

}  // namespace
