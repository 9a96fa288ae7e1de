#include "recovery/recovery_fixture.h"

#include <sys/stat.h>

#include "os/recovery/base_unpack.h"
#include "os/recovery/wal_fetch.h"
#include "real_programs.h"

namespace mfi::test {

RecoveryFixture::RecoveryFixture()
    : server_((chmod(temporary_.path().c_str(), 0711), temporary_ / "server")), store_(temporary_ / "recovery", kNode) {
  for (const char* name : {"recovery", "scratch", "bin"}) os::MakeDirectory(temporary_ / name, 0700);
  server_.Configure("summarize_wal = on\nwal_keep_size = 512MB\nallow_in_place_tablespaces = on\n");
  server_.Start();
  job_.directory = temporary_ / "recovery";
  job_.node = kNode;
  job_.database = "postgres";
  job_.data_directory = server_.data();
  job_.binary_directory = temporary_ / "bin";
  job_.server_major = 17;
  job_.socket_directory = server_.directory();
  job_.port = 5432;
  job_.superuser = "boss";
  job_.scratch_directory = temporary_ / "scratch";
  job_.limit = std::chrono::seconds(60);
  for (const char* program : {"pg_basebackup", "pg_verifybackup"}) Replace(program, "exec \"$REAL\" \"$@\"");
  store_.Prepare({kNode, server_.Sql("SELECT system_identifier FROM pg_control_system()"), 17, 1024 * 1024, host_.now});
  Receive(server_);
}

void RecoveryFixture::Receive(RealServer& server) {
  receiver_.reset();
  receiver_ = std::make_unique<os::Child>(os::Command{
      .program = DirectoryOfPrograms() + "/pg_receivewal",
      .arguments = {"-d", server.Conninfo(), "-D", store_.ReceivingPath(), "--synchronous", "--no-password"},
      .environment = os::CleanEnvironment()});
  const char* streaming = "SELECT count(*) > 0 FROM pg_stat_replication WHERE application_name = 'pg_receivewal'";
  ASSERT_TRUE(Eventually([&] { return server.Sql(streaming) == "t"; }));
}

void RecoveryFixture::Replace(const std::string& program, const std::string& body) {
  WriteScript(temporary_ / ("bin/" + program), "REAL='" + DirectoryOfPrograms() + "/" + program + "'\n" + body);
}

core::BaseRecord RecoveryFixture::MakeBase(bool full) {
  ++host_.now;
  return os::MakeBase(job_, full, host_, [&](const std::string& phase, std::int64_t) {
    if (phases_.empty() || phases_.back() != phase) phases_.push_back(phase);
  });
}

core::Error RecoveryFixture::FailureOf(bool full) {
  return ErrorOf([&] { MakeBase(full); });
}

void RecoveryFixture::StartRecovered(const core::BaseRecord& base, RealServer& recovered) {
  std::vector<std::string> arguments;
  for (const core::BaseRecord& member : core::ChainOf(store_.Bases(), base.id)) {
    const std::string unpacked = recovered.directory() + "/" + member.id;
    os::MakeDirectory(unpacked, 0700);
    os::UnpackBase(store_, member, unpacked, 0, host_);
    arguments.push_back(unpacked);
  }
  if (arguments.size() == 1) {
    os::Rename(arguments[0], recovered.data());
  } else {
    arguments.insert(arguments.end(), {"--no-sync", "--output=" + recovered.data()});
    recovered.Run("pg_combinebackup", arguments);
  }
  // It would have recovery make links to where the live server has its files.
  os::RemoveTree(recovered.data() + "/tablespace_map");
  os::RemoveTree(recovered.data() + "/standby.signal");
  Write(recovered.data() + "/recovery.signal", "");
  core::Segment segment = core::SegmentAt(base.timeline, base.start, base.segment_bytes);
  for (const core::Segment last = core::SegmentAt(base.timeline, base.end - 1, base.segment_bytes); segment <= last;
       ++segment.number) {
    const std::string name = core::SegmentName(segment, base.segment_bytes);
    os::FetchSegment(store_, segment, base.segment_bytes, recovered.data() + "/pg_wal/" + name, host_);
  }
  recovered.Configure("primary_conninfo = ''\nrestore_command = '/bin/false'\n");
  recovered.TakeOver(recovered.data());
  recovered.Start();
}

}  // namespace mfi::test
