#include "core/node/control_data.h"

#include <gtest/gtest.h>

#include "core/base/low_setting.h"

namespace {

using mfi::core::ControlData;
using mfi::core::ParseControlData;
using mfi::core::ParseRequiredSettings;
using mfi::core::RaiseThem;
using mfi::core::RequiredSetting;

constexpr char kGood[] =
    "pg_control version number:            1700\n"
    "Database system identifier:           7437912345678901234\n"
    "Latest checkpoint's TimeLineID:       12\n"
    "Latest checkpoint's PrevTimeLineID:   11\n";

TEST(ControlData, ReadsWhatPgControldataPrints) {
  EXPECT_EQ(ParseControlData(kGood), (ControlData{"7437912345678901234", 12}));
}

TEST(ControlData, ADamagedFileIsNone) {
  for (const std::string& text :
       {std::string(), std::string("pg_controldata: error: could not open file"),
        std::string(kGood) + "WARNING: Calculated CRC checksum does not match value stored in file.\n",
        std::string("Database system identifier: 5\n"), std::string("Latest checkpoint's TimeLineID: 5\n"),
        std::string("Database system identifier: 0\nLatest checkpoint's TimeLineID: 1\n"),
        std::string("Database system identifier: 5\nLatest checkpoint's TimeLineID: 4294967296\n"),
        std::string("Database system identifier: 5 \nLatest checkpoint's TimeLineID: 1\n"),
        std::string("Database system identifier: 99999999999999999999\nLatest checkpoint's TimeLineID: 1\n")}) {
    EXPECT_FALSE(ParseControlData(text)) << text;
  }
}

constexpr char kSettings[] =
    "wal_level setting:                    replica\n"
    "max_connections setting:              100\n"
    "max_worker_processes setting:         8\n"
    "max_wal_senders setting:              10\n"
    "max_prepared_xacts setting:           0\n"
    "max_locks_per_xact setting:           64\n";

TEST(ControlData, HasWhatAStandbyNeeds) {
  EXPECT_EQ(ParseRequiredSettings(kSettings), (std::vector<RequiredSetting>{{"max_connections", 100},
                                                                            {"max_worker_processes", 8},
                                                                            {"max_wal_senders", 10},
                                                                            {"max_prepared_transactions", 0},
                                                                            {"max_locks_per_transaction", 64}}));
  EXPECT_TRUE(ParseRequiredSettings("").empty());
  EXPECT_TRUE(ParseRequiredSettings(std::string(kSettings, sizeof(kSettings) - 5)).empty()) << "a number is missing";
  EXPECT_TRUE(ParseRequiredSettings("max_connections setting: -1\n").empty());
  EXPECT_EQ(RaiseThem({{"max_connections", 100, 200}, {"max_wal_senders", 5, 10}}),
            "max_connections to at least 200 (it is 100), max_wal_senders to at least 10 (it is 5)");
}

}  // namespace
