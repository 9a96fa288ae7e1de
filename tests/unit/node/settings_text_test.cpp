#include "core/node/settings_text.h"

#include <gtest/gtest.h>

namespace {

using mfi::core::SettingLine;
using mfi::core::WithoutSettings;

TEST(SettingsText, QuotesAValue) {
  EXPECT_EQ(SettingLine("a", "b"), "a = 'b'\n");
  EXPECT_EQ(SettingLine("a", "it's c:\\x"), "a = 'it''s c:\\\\x'\n");
}

TEST(SettingsText, LeavesOutWhatIsNamed) {
  const std::vector<std::string> names = {"primary_conninfo", "recovery_target*"};
  EXPECT_EQ(WithoutSettings("# primary_conninfo = 'kept'\nport = 1\nprimary_conninfo = 'x'\n  PRIMARY_conninfo='y'\n"
                            "primary_conninfo_of_others = 1\nrecovery_target_lsn = '0/1'\nrecovery_target 'immediate'\n"
                            "\tprimary_conninfo\t= 'z'",
                            names),
            "# primary_conninfo = 'kept'\nport = 1\nprimary_conninfo_of_others = 1\n");
  EXPECT_EQ(WithoutSettings("", names), "");
  EXPECT_EQ(WithoutSettings("\n\nno end", names), "\n\nno end");
}

}  // namespace
