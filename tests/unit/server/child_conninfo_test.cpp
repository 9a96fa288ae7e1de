// What others can read of a connection string that a program is given.

#include "os/server/child_conninfo.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "os/base/file.h"
#include "support.h"

namespace {

using namespace mfi::os;
using namespace mfi::test;

TEST(ChildConninfo, HasThePasswordInAFileForThisUserAlone) {
  std::string path;
  {
    const ChildConninfo conninfo(R"(host=db1 password='a:b\\c d' passfile=/x user=u)");
    EXPECT_EQ(conninfo.text(), "user='u' host='db1' ");
    ASSERT_EQ(conninfo.Environment().size(), 1U);
    path = conninfo.Environment()[0].substr(std::string("PGPASSFILE=").size());
    EXPECT_EQ(ReadFile(path), "*:*:*:*:a\\:b\\\\c d\n");
    struct stat status {};
    ASSERT_EQ(stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0600U);
  }
  EXPECT_FALSE(Exists(path));
  EXPECT_EQ(ChildConninfo("postgresql://u:secret@h/d").text().find("secret"), std::string::npos);
}

TEST(ChildConninfo, WithoutAPasswordStaysAsItIs) {
  const ChildConninfo conninfo("host=db1 passfile=/x");
  EXPECT_EQ(conninfo.text(), "host='db1' passfile='/x' ");
  EXPECT_TRUE(conninfo.Environment().empty());
}

TEST(ChildConninfo, ThatOfTheEnvironmentIsNotHandedOn) {
  setenv("PGPASSWORD", "geheim", 1);
  EXPECT_EQ(ChildConninfo("host=db1 passfile=/x").text(), "host='db1' ");
  EXPECT_EQ(ChildConninfo("host=db1").Environment().size(), 1U);
  unsetenv("PGPASSWORD");
}

TEST(ChildConninfo, OtherSecretsAreRefused) {
  for (const char* conninfo : {"host=a sslpassword=geheim", "host=a dbname='host=b password=geheim'",
                               "host=a options='-c my.token=geheim'", "host=a password='gehe\nim'", "host='geheim"}) {
    const std::string said = ErrorOf([&] { const ChildConninfo child(conninfo); }).what();
    EXPECT_NE(said, "") << conninfo;
    EXPECT_EQ(said.find("geheim"), std::string::npos) << said;
  }
}

}  // namespace
