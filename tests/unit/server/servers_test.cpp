#include "os/server/servers.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace {

using mfi::os::Servers;
using std::chrono::milliseconds;

class ServersTest : public testing::Test {
 protected:
  ServersTest() {
    for (const char* name : {"PGHOST", "PGHOSTADDR", "PGPORT", "PGSERVICE", "PGCONNECT_TIMEOUT"}) unsetenv(name);
  }
  ~ServersTest() override {
    for (const char* name : {"PGHOST", "PGHOSTADDR", "PGPORT", "PGSERVICE", "PGCONNECT_TIMEOUT"}) unsetenv(name);
  }
};

TEST_F(ServersTest, OneIsLeftToLibpq) {
  for (const char* conninfo : {"", "host=a", "hostaddr=1.2.3.4 port=5433", "host=a,b hostaddr=1.2.3.4",
                               "host=a,b port=1,2,3", "no such=option", "service=a host=a,b"}) {
    EXPECT_EQ(Servers(conninfo).Keywords(), "") << conninfo;
  }
}

TEST_F(ServersTest, TheSilentOneIsLeftOut) {
  Servers servers("host=a,/tmp/b,c port=1,,3");
  EXPECT_EQ(servers.Keywords(), " host='a,/tmp/b,c' port='1,,3'");
  servers.Leave("/tmp/b", "5432");
  EXPECT_EQ(servers.Keywords(), " host='a,c' port='1,3'");
  servers.Leave("a", "1");
  EXPECT_EQ(servers.Keywords(), " host='c' port='3'");
  EXPECT_EQ(servers.size(), 1U);

  Servers same("host=a,a port=1,2");
  same.Leave("a", "2");
  EXPECT_EQ(same.Keywords(), " host='a' port='1'");

  Servers addresses("hostaddr=1.2.3.4,1.2.3.5");
  EXPECT_EQ(addresses.Keywords(), " hostaddr='1.2.3.4,1.2.3.5' port='5432,5432'");
  addresses.Leave("1.2.3.5", "5432");
  EXPECT_EQ(addresses.Keywords(), " hostaddr='1.2.3.4' port='5432'");

  Servers unnamed("host=,b");
  unnamed.Leave("/var/run/postgresql", "5432");
  EXPECT_EQ(unnamed.Keywords(), " host='b' port='5432'");
}

TEST_F(ServersTest, TheEnvironmentNamesThemWhereTheStringDoesNot) {
  setenv("PGHOST", "a,b", 1);
  setenv("PGPORT", "7", 1);
  EXPECT_EQ(Servers("dbname=x").Keywords(), " host='a,b' port='7,7'");
  EXPECT_EQ(Servers("host=c").Keywords(), "");
}

TEST_F(ServersTest, EachHasItsShareOfTheTime) {
  using std::chrono::seconds;
  EXPECT_EQ(Servers("host=a").LimitOfEach(seconds(30)), milliseconds(30'000));
  EXPECT_EQ(Servers("host=a,b,c").LimitOfEach(seconds(30)), milliseconds(10'000));
  EXPECT_EQ(Servers("host=a,b connect_timeout=5").LimitOfEach(seconds(30)), milliseconds(5'000));
  EXPECT_EQ(Servers("host=a,b connect_timeout=1").LimitOfEach(seconds(30)), milliseconds(2'000));
  EXPECT_EQ(Servers("host=a connect_timeout=-1").LimitOfEach(seconds(30)), milliseconds(30'000));
  setenv("PGCONNECT_TIMEOUT", "4", 1);
  EXPECT_EQ(Servers("host=a").LimitOfEach(seconds(30)), milliseconds(4'000));
}

}  // namespace
