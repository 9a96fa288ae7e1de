#include "os/recovery/wal_receiver.h"

#include <signal.h>
#include <sys/stat.h>

#include <fstream>
#include <optional>

#include "core/recovery/wal_line.h"
#include "os/base/directory.h"
#include "os/recovery/wal_fetch.h"
#include "real_programs.h"
#include "recovery/real_server.h"

namespace {

using namespace mfi::core;
using namespace mfi::test;
using mfi::os::RecoveryStore;
using mfi::os::WalReceiver;

constexpr std::int64_t kMb = 1024 * 1024;
constexpr char kFlushed[] = "SELECT pg_current_wal_flush_lsn()";
constexpr char kReceivedByStandby[] = "SELECT pg_last_wal_receive_lsn()";

class WalReceiverTest : public testing::Test {
 protected:
  WalReceiverTest() {
    chmod(temporary_.path().c_str(), 0711);
    mfi::os::MakeDirectory(temporary_ / "recovery", 0700);
    primary_.emplace(temporary_ / "pri");
    primary_->Start();
    primary_->Sql("SELECT 1 FROM pg_create_physical_replication_slot('other')");
    From(*primary_);
  }

  ~WalReceiverTest() override { receiver_.reset(); }

  void From(RealServer& server) {
    server_ = &server;
    job_.directory = temporary_ / "recovery";
    job_.node = kNode;
    job_.data_directory = server.data();
    job_.binary_directory = DirectoryOfPrograms();
    job_.server_major = MajorOfPrograms();
    job_.socket_directory = server.directory();
    job_.port = RealServer::kPort;
    job_.superuser = RealServer::kSuperuser;
  }

  void Receive() { receiver_ = std::make_unique<WalReceiver>(job_, host_); }

  /// Looks until `is_so`.
  bool Until(const std::function<bool(const WalReceiver::State&)>& is_so) {
    return Eventually([&] { return is_so(receiver_->Look()); });
  }

  /// All that the server has to this moment is in the store.
  void ExpectAllReceived(const char* flushed = kFlushed) {
    const Lsn wanted = server_->Lsn(flushed);
    EXPECT_TRUE(Until([&](const WalReceiver::State& state) { return state.receiving && state.received >= wanted; }))
        << receiver_->Look().error;
    EXPECT_EQ(receiver_->Look().error, "");
  }

  /// Some segments' worth.
  static void WriteWal(RealServer& server, int segments = 2) {
    for (int i = 0; i < segments; ++i) {
      server.Sql("SELECT pg_logical_emit_message(true, 'test', repeat(md5('" + std::to_string(i) + "'), 10000))");
      server.Sql("SELECT pg_switch_wal()");
    }
    server.Sql("SELECT pg_logical_emit_message(true, 'test', repeat('x', 100000))");
  }

  WalLine Line(std::uint32_t timeline) const { return LineOf(store_.Wal(kMb), store_.HistoryOf(timeline, kMb), kMb); }

  /// The store has one stretch of WAL to `to`, and each of its segments is as the server has it.
  void ExpectWholeLine(std::uint32_t timeline, Lsn to) {
    const WalLine line = Line(timeline);
    ASSERT_EQ(line.stretches.size(), 1U);
    const History history = store_.HistoryOf(timeline, kMb);
    for (std::uint64_t number = line.stretches[0].first.number; number * kMb < to; ++number) {
      const Segment segment = SegmentOf(history, number, kMb);
      const std::string name = SegmentName(segment, kMb);
      const auto fetched = mfi::os::FetchSegment(store_, segment, kMb, temporary_ / "fetched", host_);
      ASSERT_TRUE(fetched.found) << name;
      ASSERT_GE(static_cast<Lsn>(fetched.bytes), std::min<Lsn>(kMb, to - number * kMb)) << name;
      const std::string own = mfi::os::ReadFile(server_->data() + "/pg_wal/" + name);
      const auto bytes = static_cast<std::size_t>(fetched.bytes);
      EXPECT_TRUE(mfi::os::ReadFile(temporary_ / "fetched").substr(0, bytes) == own.substr(0, bytes)) << name;
    }
  }

  /// pg_receivewal of this store; 0 when there is none.
  pid_t ReceiverProcess() const {
    for (const std::string& name : mfi::os::ListDirectory("/proc")) {
      std::ifstream file("/proc/" + name + "/cmdline");
      const std::string words((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
      if (words.find("pg_receivewal") != std::string::npos &&
          words.find("--directory=" + store_.ReceivingPath()) != std::string::npos) {
        return std::stoi(name);
      }
    }
    return 0;
  }

  TempDirectory temporary_;
  TestHost host_;
  std::optional<RealServer> primary_;
  RealServer* server_ = nullptr;
  mfi::os::RecoveryJob job_;
  RecoveryStore store_{temporary_ / "recovery", kNode};
  std::unique_ptr<WalReceiver> receiver_;
};

TEST_F(WalReceiverTest, ReceivesEverySegmentWhateverIsKilled) {
  Receive();
  ExpectAllReceived();
  WriteWal(*primary_);
  ExpectAllReceived();
  for (int i = 0; i < 3; ++i) {
    const pid_t pid = ReceiverProcess();
    ASSERT_GT(pid, 0);
    WriteWal(*primary_, 1);
    kill(pid, SIGKILL);
    EXPECT_TRUE(Until([](const WalReceiver::State& state) { return !state.error.empty(); }));
    EXPECT_EQ(receiver_->Look().error, "pg_receivewal ended with exit code 137");
    ExpectAllReceived();
  }
  const Lsn end = primary_->Lsn(kFlushed);
  ExpectAllReceived();
  ExpectWholeLine(1, end);
  EXPECT_EQ(receiver_->Look().gap, "");
  EXPECT_GE(receiver_->Look().sent_end, end);

  // What it holds is WAL.
  mfi::os::MakeDirectory(temporary_ / "dump", 0700);
  const WalStretch stretch = Line(1).stretches[0];
  for (std::uint64_t number = stretch.first.number; number * kMb < end; ++number) {
    mfi::os::FetchSegment(store_, {1, number}, kMb, temporary_ / ("dump/" + SegmentName({1, number}, kMb)), host_);
  }
  const auto dumped = mfi::os::RunCommand(
      {job_.binary_directory + "/pg_waldump",
       {"--path=" + (temporary_ / "dump"), "--start=" + FormatLsn(stretch.from), "--end=" + FormatLsn(end), "--quiet"},
       mfi::os::CleanEnvironment()},
      host_);
  EXPECT_EQ(dumped.exit_code, 0) << dumped.errors;
  for (const WalFile& file : store_.Wal(kMb)) {
    EXPECT_TRUE(file.kind != WalFileKind::kWhole || mfi::os::Exists(store_.WalPath() + "/" + file.name)) << file.name;
  }
}

TEST_F(WalReceiverTest, GoesOnAfterItsProcessWasKilled) {
  Forked process([&] {
    Receive();
    while (true) {
      receiver_->Look();
      host_.Wait(-1, false, std::chrono::milliseconds(10));
    }
    return 0;
  });
  EXPECT_TRUE(Eventually([&] { return ReceiverProcess() != 0; }));
  WriteWal(*primary_);
  process.Kill();
  process.Wait();
  WriteWal(*primary_);
  Receive();
  const Lsn end = primary_->Lsn(kFlushed);
  EXPECT_TRUE(Until([&](const WalReceiver::State& state) { return state.receiving && state.received >= end; }));
  ExpectWholeLine(1, end);
}

TEST_F(WalReceiverTest, GoesOnAfterItsServerWasRestarted) {
  Receive();
  ExpectAllReceived();
  for (const int signal_number : {SIGINT, SIGQUIT}) {
    WriteWal(*primary_);
    primary_->Stop(signal_number);
    EXPECT_TRUE(Until([](const WalReceiver::State& state) { return !state.receiving && !state.error.empty(); }));
    primary_->Start();
    ExpectAllReceived();
  }
  ExpectWholeLine(1, primary_->Lsn(kFlushed) - 1);
}

TEST_F(WalReceiverTest, FollowsAStandbyThroughItsPromotion) {
  RealServer standby(temporary_ / "sb", *primary_);
  standby.Start();
  From(standby);
  Receive();
  WriteWal(*primary_);
  ExpectAllReceived(kReceivedByStandby);
  const Lsn received = primary_->Lsn(kFlushed);
  EXPECT_TRUE(Eventually([&] { return standby.Lsn(kReceivedByStandby) >= received; }));
  primary_->Stop(SIGQUIT);
  standby.Promote();
  WriteWal(standby);
  ExpectAllReceived();
  // The history comes with it, and the receiver that begins anew goes on.
  receiver_.reset();
  WriteWal(standby);
  Receive();
  const Lsn end = standby.Lsn(kFlushed);
  ExpectAllReceived();
  EXPECT_EQ(store_.HistoryOf(2, kMb).ancestors.size(), 1U);
  ExpectWholeLine(2, end);
}

TEST_F(WalReceiverTest, APromotionAtTheBoundaryOfASegmentIsNoEnd) {
  RealServer standby(temporary_ / "sb", *primary_);
  standby.Start();
  From(standby);
  Receive();
  WriteWal(*primary_);
  primary_->Sql("SELECT 1 FROM pg_switch_wal()");
  const Lsn boundary = primary_->Lsn(kFlushed);
  ASSERT_EQ(boundary % kMb, 0U);
  EXPECT_TRUE(Eventually([&] { return standby.Lsn(kReceivedByStandby) >= boundary; }));
  ASSERT_EQ(standby.Lsn(kReceivedByStandby), boundary);
  ExpectAllReceived(kReceivedByStandby);
  receiver_.reset();
  primary_->Stop(SIGQUIT);
  standby.Promote();
  WriteWal(standby);
  Receive();
  const Lsn end = standby.Lsn(kFlushed);
  ExpectAllReceived();
  EXPECT_EQ(store_.HistoryOf(2, kMb), (History{2, {{1, boundary}}}));
  ExpectWholeLine(2, end);
}

TEST_F(WalReceiverTest, MakesADroppedSlotAnew) {
  Receive();
  ExpectAllReceived();
  WriteWal(*primary_);
  primary_->Sql(
      "SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots WHERE slot_name = 'mfi_recovery'");
  EXPECT_TRUE(Eventually([&] {
    return primary_->Sql("SELECT NOT active FROM pg_replication_slots WHERE slot_name = 'mfi_recovery'") == "t";
  }));
  primary_->Sql("SELECT pg_drop_replication_slot('mfi_recovery')");
  WriteWal(*primary_);
  const Lsn end = primary_->Lsn(kFlushed);
  ExpectAllReceived();
  ExpectWholeLine(1, end);
}

TEST_F(WalReceiverTest, OfALostSlotTheGapIsNamed) {
  primary_->Stop(SIGINT);
  primary_->Start({"wal_keep_size=0", "max_slot_wal_keep_size=1MB", "min_wal_size=2MB", "max_wal_size=4MB"});
  Receive();
  ExpectAllReceived();
  WriteWal(*primary_);
  ExpectAllReceived();
  const Lsn before = primary_->Lsn(kFlushed);
  receiver_.reset();
  primary_->Sql("SELECT 1 FROM pg_drop_replication_slot('other')");
  WriteWal(*primary_, 12);
  primary_->Execute("CHECKPOINT");
  ASSERT_EQ(primary_->Sql("SELECT wal_status FROM pg_replication_slots WHERE slot_name = 'mfi_recovery'"), "lost");
  Receive();
  ExpectAllReceived();
  const WalLine line = Line(1);
  ASSERT_EQ(line.gaps.size(), 1U);
  EXPECT_EQ(line.gaps[0].first, SegmentAt(1, before, kMb));
  EXPECT_EQ(receiver_->Look().gap,
            "segment " + SegmentName(line.gaps[0].first, kMb) + " to " + SegmentName(line.gaps[0].last, kMb));
  EXPECT_EQ(primary_->Sql("SELECT wal_status FROM pg_replication_slots WHERE slot_name = 'mfi_recovery'"), "reserved");
}

TEST_F(WalReceiverTest, EndsOneThatStandsStill) {
  job_.patience = std::chrono::seconds(1);
  Receive();
  ExpectAllReceived();
  ASSERT_EQ(kill(ReceiverProcess(), SIGSTOP), 0);
  WriteWal(*primary_);
  EXPECT_TRUE(Until([](const WalReceiver::State& state) { return !state.receiving; }));
  EXPECT_TRUE(receiver_->Look().error.starts_with("pg_receivewal came no further than ")) << receiver_->Look().error;
  const Lsn end = primary_->Lsn(kFlushed);
  ExpectAllReceived();
  ExpectWholeLine(1, end);
}

TEST_F(WalReceiverTest, SaysWhyItDoesNotReceive) {
  Receive();
  ExpectAllReceived();
  const auto says = [&](const std::string& what) {
    return Until([&](const WalReceiver::State& state) {
      return !state.receiving && state.error.find(what) != std::string::npos;
    });
  };
  // Another one receives.
  WalReceiver second(job_, host_);
  EXPECT_NE(second.Look().error.find("is in use by process"), std::string::npos);
  EXPECT_FALSE(second.Look().receiving);

  // The store is gone.
  mfi::os::RemoveTree(temporary_ / "recovery");
  WriteWal(*primary_);
  EXPECT_TRUE(says("does not exist")) << receiver_->Look().error;
  mfi::os::MakeDirectory(temporary_ / "recovery", 0700);
  ExpectAllReceived();

  // Its lock is another's.
  receiver_.reset();
  {
    const auto lock = store_.LockForReceiver();
    ASSERT_TRUE(lock.held());
    Receive();
    EXPECT_TRUE(says("another process receives into")) << receiver_->Look().error;
  }
  ExpectAllReceived();
}

}  // namespace
