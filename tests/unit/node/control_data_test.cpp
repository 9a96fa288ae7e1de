#include "core/node/control_data.h"

#include <gtest/gtest.h>

namespace {

using mfi::core::ControlData;
using mfi::core::ParseControlData;

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

}  // namespace
