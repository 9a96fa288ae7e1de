#include "command/manual.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "os/base/file.h"
#include "support.h"

namespace {

using mfi::command::BashCompletion;
using mfi::command::ManualPage;

class Manual : public testing::Test {
 protected:
  Manual() : app_("mfi: a program", "mfi") {
    auto* hold = app_.add_subcommand("hold", "Keeps a backup");
    hold->add_option("id", id_, "'an' id")->required();
    hold->add_flag("--json", json_, "answers in JSON");
    hold->footer(".Exit code 0");
    auto* node = app_.add_subcommand("node", "What containers ask");
    node->add_subcommand("own", "Gives directories")->add_option("--user", user_, "its name");
  }

  CLI::App app_;
  std::string id_;
  std::string user_;
  bool json_ = false;
};

TEST_F(Manual, ThePageHasEverySubcommandWithItsOptions) {
  const std::string page = ManualPage(app_, "mfi 1.1");
  EXPECT_NE(page.find(".SS mfi hold id [\\-\\-json]\nKeeps a backup.\n.TP\n.B id\n\\&'an' id\n.TP\n.B \\-\\-json\n"
                      "answers in JSON\n.PP\n\\&.Exit code 0\n"),
            std::string::npos)
      << page;
  EXPECT_NE(page.find(".SS mfi node <subcommand>\n"), std::string::npos) << page;
  EXPECT_NE(page.find(".SS mfi node own [\\-\\-user TEXT]\nGives directories.\n.TP\n.B \\-\\-user TEXT\nits name\n"),
            std::string::npos)
      << page;
  EXPECT_EQ(page.find("Print this help"), std::string::npos);
}

TEST_F(Manual, BashCompletesSubcommandsAndOptions) {
  mfi::test::TempDirectory directory;
  mfi::test::Write(directory / "mfi", BashCompletion(app_));
  const auto completed = [&](const std::string& words, int word) {
    mfi::test::Write(directory / "try", ". " + directory.path() + "/mfi\nCOMP_WORDS=(" + words +
                                            ")\nCOMP_CWORD=" + std::to_string(word) +
                                            "\n_mfi\necho \"${COMPREPLY[*]}\" >" + directory.path() + "/out\n");
    EXPECT_EQ(std::system(("bash " + directory.path() + "/try").c_str()), 0);
    return mfi::os::ReadFile(directory / "out", 1000);
  };
  EXPECT_EQ(completed("mfi ''", 1), "hold node --help\n");
  EXPECT_EQ(completed("mfi ho", 1), "hold\n");
  EXPECT_EQ(completed("mfi hold --j", 2), "--json\n");
  EXPECT_EQ(completed("mfi hold anything --", 3), "--help --json\n");
  EXPECT_EQ(completed("mfi node ''", 2), "own --help\n");
  EXPECT_EQ(completed("mfi node own --u", 3), "--user\n");
}

}  // namespace
