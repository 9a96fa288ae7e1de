#include "os/server/conninfo_secret.h"

#include "support.h"

namespace {

using mfi::os::SecretIn;

TEST(ConninfoSecret, IsFoundHoweverItIsSpelled) {
  EXPECT_EQ(SecretIn("host=x password=a"), "password");
  EXPECT_EQ(SecretIn("host=x password=''"), "password");
  EXPECT_EQ(SecretIn("host=x password = 'a b'"), "password");
  EXPECT_EQ(SecretIn("host=x sslkey=/k sslpassword=a"), "sslpassword");
  EXPECT_EQ(SecretIn("postgresql://u:a@x/db"), "password");
  EXPECT_EQ(SecretIn("postgres://u@x/db?password=a"), "password");
  EXPECT_EQ(SecretIn("postgres://u@x/db?%70assword=a"), "password");
  EXPECT_EQ(SecretIn("dbname='host=x password=a'"), "password");
  EXPECT_EQ(SecretIn("dbname='postgres://u:a@x/db'"), "password");
  EXPECT_EQ(SecretIn(R"(dbname='dbname=\'dbname=\\\'password=a\\\'\'')"), "password");
  EXPECT_EQ(SecretIn("host=x options='-c app.PassWord=a'"), "options");
  EXPECT_EQ(SecretIn("host=x options='-c app.api_token=a'"), "options");
}

TEST(ConninfoSecret, IsNotSeenWhereThereIsNone) {
  for (const char* plain :
       {"", "host=x port=5432 user=postgres passfile=/run/secrets/pgpass", "service=standby", "postgres://u@x/db",
        "host=x sslkey=/k sslcert=/c require_auth=scram-sha-256 channel_binding=require", "host=password",
        "host=x options='-c statement_timeout=0'", "dbname=a=b"}) {
    EXPECT_EQ(SecretIn(plain), "") << plain;
  }
}

TEST(ConninfoSecret, OfWhatIsNoConnectionStringNothingIsQuoted) {
  for (const char* wrong :
       {"hunter2", "password hunter2", "pasword=hunter2", "postgres://u:hunter2@x:port:hunter2/%zz", "host='hunter2"}) {
    const mfi::core::Error error = mfi::test::ErrorOf([&] { SecretIn(wrong); });
    EXPECT_EQ(error.sqlstate(), "22023");
    EXPECT_EQ(std::string(error.what()).find("hunter2"), std::string::npos) << wrong;
  }
}

}  // namespace
