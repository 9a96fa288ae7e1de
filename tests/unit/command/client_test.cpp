#include "command/base/client.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "command/health.h"
#include "support.h"

namespace {

using mfi::command::PrepareEnvironment;

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "(not set)" : value;
}

// Each in a process of its own, since it changes the process.
void TellEnvironmentAndEnd(const std::string& root) {
  setenv("PGOPTIONS", "-c search_path=hostile", 1);
  setenv("PGHOST", "of-the-caller", 1);
  unsetenv("PGUSER");
  PrepareEnvironment(root);
  for (const char* name : {"PGOPTIONS", "PGHOST", "PGUSER", "PGDATABASE", "PGREQUIREAUTH", "PGCHANNELBINDING",
                           "PGSSLMODE", "PGTARGETSESSIONATTRS"}) {
    std::cerr << Environment(name) << " ";
  }
  std::cerr << (geteuid() == 0 ? "root" : "no root");
  std::_Exit(0);
}

class ClientEnvironment : public testing::Test {
 protected:
  void Make(const std::string& folder) { std::filesystem::create_directories(directory_ / folder); }
  mfi::test::TempDirectory directory_;
};

TEST_F(ClientEnvironment, ElsewhereItIsThatOfTheCaller) {
  unsetenv("PGDATABASE");
  EXPECT_EXIT(TellEnvironmentAndEnd(directory_ / ""), testing::ExitedWithCode(0),
              R"(^\(not set\) of-the-caller \(not set\) \(not set\) \(not set\) )");
}

TEST_F(ClientEnvironment, InADatabaseContainerItIsThatOfTheServerBesideIt) {
  Make("usr/local/lib/mfi");
  EXPECT_EXIT(TellEnvironmentAndEnd(directory_ / ""), testing::ExitedWithCode(0),
              R"(^\(not set\) of-the-caller postgres mfi_banking \(not set\) .* no root$)");
}

TEST_F(ClientEnvironment, FromElsewhereInTheStackBothSidesProveThePassword) {
  Make("usr/local/lib/mfi");
  Make("run/mfi");
  mfi::test::Write(directory_ / "run/mfi/client.pgpass", "");
  EXPECT_EXIT(
      TellEnvironmentAndEnd(directory_ / ""), testing::ExitedWithCode(0),
      R"(^\(not set\) db-primary,db-replica postgres mfi_banking scram-sha-256 require require primary no root$)");
}

class Unreachable : public testing::Test {
 protected:
  void SetUp() override {
    setenv("PGHOST", directory_.path().c_str(), 1);  // where no server has its socket
  }
  void TearDown() override { unsetenv("PGHOST"); }
  mfi::test::TempDirectory directory_;
};

TEST_F(Unreachable, HealthIsCriticalAndSaysWhy) {
  std::ostringstream out;
  EXPECT_EQ(mfi::command::Health("node", false, out), 2);
  EXPECT_EQ(out.str().rfind("critical: no verdict (scope node)\n  ", 0), 0U) << out.str();
}

TEST_F(Unreachable, HealthIsCriticalInJsonToo) {
  std::ostringstream out;
  EXPECT_EQ(mfi::command::Health("all", true, out), 2);
  const auto answer = nlohmann::json::parse(out.str());
  EXPECT_EQ(answer.at("verdict"), "critical");
  EXPECT_EQ(answer.at("scope"), "all");
  EXPECT_EQ(answer.at("reasons").size(), 1U);
}

}  // namespace
