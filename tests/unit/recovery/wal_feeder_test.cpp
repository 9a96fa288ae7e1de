#include "os/recovery/wal_feeder.h"

#include <filesystem>

#include "recovery/store_support.h"

namespace {

using namespace mfi::test;
using mfi::core::Lsn;
using mfi::os::ListDirectory;
using mfi::os::WalFeeder;

class WalFeederTest : public StoreFixture {
 protected:
  /// An empty segment of timeline 1, with the header that PostgreSQL writes.
  void WriteSegment(std::uint64_t number) const {
    std::string header;
    const auto put = [&](std::uint64_t value, int bytes) {
      for (int i = 0; i < bytes; ++i) header += static_cast<char>(value >> (8 * i));
    };
    put(0xD116, 2);
    put(2, 2);
    put(1, 4);
    put(number * kSegmentBytes, 8);
    put(0, 8);
    put(std::stoull(kSystem), 8);
    put(kSegmentBytes, 4);
    put(8192, 4);
    const std::string path = Wal(mfi::core::SegmentName({1, number}, kSegmentBytes));
    Write(path, header);
    std::filesystem::resize_file(path, kSegmentBytes);
  }

  std::size_t LaidOut() const { return ListDirectory(temporary_ / "data/pg_wal").size(); }
};

TEST_F(WalFeederTest, GoesAheadOfWhatIsReplayedAndFurtherForALongRecord) {
  mfi::os::MakeDirectory(temporary_ / "data/pg_wal", 0700);
  for (std::uint64_t number = 256; number < 260; ++number) WriteSegment(number);
  // It begins where a base's WAL does, which lies here as far ahead of what is replayed as WAL is laid out.
  const mfi::core::BaseRecord base{
      .system_identifier = kSystem, .segment_bytes = kSegmentBytes, .timeline = 1, .start = 256 * kSegmentBytes};
  WalFeeder feeder(store_, {}, base, temporary_ / "data");
  feeder.LetReach(260 * static_cast<Lsn>(kSegmentBytes));
  EXPECT_FALSE(feeder.Feed(0, host_));
  EXPECT_EQ(LaidOut(), 1U);
  EXPECT_FALSE(feeder.Feed(1, host_)) << "nothing more is replayed";
  EXPECT_FALSE(feeder.Feed(kSegmentBytes, host_));
  EXPECT_EQ(LaidOut(), 2U);
  EXPECT_TRUE(feeder.GoFurther());
  EXPECT_TRUE(feeder.Feed(kSegmentBytes, host_));
  EXPECT_EQ(LaidOut(), 4U);
  EXPECT_FALSE(feeder.GoFurther()) << "no record is longer";
}

}  // namespace
