#include "os/node/server_program.h"

#include "os/node/control_file.h"
#include "support.h"

namespace {

using namespace mfi::os;
using namespace mfi::test;
using Environment = std::vector<std::string>;

TEST(ServerProgram, SpeaksEnglishInWhateverEncoding) {
  EXPECT_EQ(InEnglish({"A=b", "LC_ALL=de_DE.UTF-8", "LANGUAGE=de", "LC_MESSAGES=de_DE", "LC_CTYPE=C"}),
            (Environment{"LC_MESSAGES=C", "LC_CTYPE=de_DE.UTF-8", "A=b"}));
  EXPECT_EQ(InEnglish({"LANG=de_DE", "LC_CTYPE=C"}), (Environment{"LC_MESSAGES=C", "LANG=de_DE", "LC_CTYPE=C"}));
}

TEST(ServerProgram, OneThatIsNotThereIsNamed) {
  TestHost host;
  const auto error = ErrorOf([&] { RunServerProgram("pg_no_such_program", {}, host); });
  EXPECT_STREQ(error.what(), "there is no program pg_no_such_program; nothing was changed");
}

TEST(ServerProgram, ADirectoryWithoutPgControlHasNoData) {
  TestHost host;
  const TempDirectory empty;
  EXPECT_FALSE(FindControlData(empty.path(), host));
  EXPECT_EQ(std::string(ErrorOf([&] { ReadControlData(empty.path(), host); }).what()),
            empty.path() + " has no valid pg_control");
}

}  // namespace
