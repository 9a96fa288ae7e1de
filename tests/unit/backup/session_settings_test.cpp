#include "core/backup/session_settings.h"

#include <gtest/gtest.h>

namespace {

using mfi::core::SettingsToTake;
using Texts = std::vector<std::string>;

Texts Taken(const Texts& texts, const Texts& defined = {}) {
  Texts taken;
  for (const auto& setting : SettingsToTake(texts, defined)) taken.push_back(setting.name + "=" + setting.value);
  return taken;
}

TEST(SessionSettings, WhatGivesValuesTheirMeaningComesFirst) {
  EXPECT_EQ(Taken({"bank.currency=RWF", "timezone=Africa/Kigali", "DateStyle=ISO, DMY", "app.a.b=", "ünï.cödé=x=y"}),
            (Texts{"timezone=Africa/Kigali", "DateStyle=ISO, DMY", "app.a.b=", "bank.currency=RWF", "ünï.cödé=x=y"}));
}

TEST(SessionSettings, NothingElseIsTaken) {
  EXPECT_EQ(Taken({"role=postgres",
                   "session_preload_libraries=x",
                   "search_path=app",
                   "local_preload_libraries=x",
                   "statement_timeout=1",
                   "TimeZone",
                   "",
                   "=",
                   ".=x",
                   "a.=x",
                   ".a=x",
                   "a..b=x",
                   "1.a=x",
                   "a.1=x",
                   "a b.c=x",
                   "a.b -c role=x",
                   "a'.b=x",
                   "a\\.b=x",
                   "mfi.database=x",
                   "MFI.Database=x",
                   std::string("a.b=x\0y", 7)}),
            Texts{});
}

TEST(SessionSettings, WhatALibraryCallsItsOwnIsTheServers) {
  EXPECT_EQ(Taken({"pgaudit.log=all", "pgaudit.Role=x", "pgaudit2.log=y"}, {"PgAudit.log", "pgaudit.role"}),
            Texts{"pgaudit2.log=y"});
}

TEST(SessionSettings, ThePacketHasABound) {
  EXPECT_EQ(Taken({"a.long=" + std::string(7000, 'x'), "a.short=1", "TimeZone=UTC"}),
            (Texts{"TimeZone=UTC", "a.short=1"}));
  EXPECT_EQ(Taken({"a.b=" + std::string(4000, ' ')}), Texts{});
}

TEST(SessionSettings, OptionsKeepSpacesAndBackslashes) {
  EXPECT_EQ(mfi::core::AsOptions({{"DateStyle", "ISO, DMY"}, {"a.b", "\\'\n\""}}),
            " -c DateStyle=ISO,\\ DMY -c a.b=\\\\'\\\n\"");
}

}  // namespace
