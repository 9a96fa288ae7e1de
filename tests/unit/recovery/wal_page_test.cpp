#include "core/recovery/wal_page.h"

#include <gtest/gtest.h>

#include <cstring>

namespace {

using namespace mfi::core;

constexpr std::int64_t kMb = 1024 * 1024;
constexpr char kSystem[] = "7712612809399180572";

std::string Header(std::uint32_t timeline, Lsn position, std::uint64_t system) {
  std::string header(kSegmentHeaderBytes, '\1');
  std::memcpy(header.data() + 4, &timeline, sizeof(timeline));
  std::memcpy(header.data() + 8, &position, sizeof(position));
  std::memcpy(header.data() + 24, &system, sizeof(system));
  return header;
}

std::string Why(const std::string& begin) { return WhyNotSegment(begin, {2, 5}, kMb, kSystem); }

TEST(WalPage, ItsOwn) { EXPECT_EQ(Why(Header(2, 5 * kMb, 7712612809399180572) + "what follows"), ""); }

TEST(WalPage, BeginsWithTheOlderTimelinesPart) { EXPECT_EQ(Why(Header(1, 5 * kMb, 7712612809399180572)), ""); }

TEST(WalPage, NothingWasReceived) {
  EXPECT_EQ(Why(""), "");
  EXPECT_EQ(Why(std::string(8192, '\0')), "");
}

TEST(WalPage, AnotherOne) {
  EXPECT_EQ(Why(Header(2, 4 * kMb, 7712612809399180572)), "It begins at 0/400000.");
  EXPECT_EQ(Why(Header(3, 5 * kMb, 7712612809399180572)), "It is of timeline 3.");
  EXPECT_EQ(Why(Header(2, 5 * kMb, 12)), "It is of the cluster with the system identifier 12.");
  EXPECT_EQ(Why("x"), "It has no header.");
}

}  // namespace
