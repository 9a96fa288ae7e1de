#include "recovery/real_cluster.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>

#include "os/recovery/wal_fetch.h"

namespace mfi::test {
namespace {

constexpr uid_t kNobody = 65534;
constexpr std::chrono::seconds kConnectLimit{30};

std::string FirstLineOf(const std::string& command) {
  std::string line;
  FILE* pipe = popen(command.c_str(), "r");
  for (int c = 0; pipe != nullptr && (c = fgetc(pipe)) != EOF && c != '\n';) line += static_cast<char>(c);
  if (pipe != nullptr) pclose(pipe);
  return line;
}

}  // namespace

std::string RealCluster::Programs() {
  static const std::string directory = FirstLineOf("\"${PG_CONFIG:-pg_config}\" --bindir");
  return directory;
}

RealCluster::RealCluster(std::string directory, TestHost& host) : directory_(std::move(directory)), host_(host) {
  os::MakeDirectory(directory_, 0755);
  if (geteuid() == 0 && chown(directory_.c_str(), kNobody, kNobody) != 0) throw std::runtime_error("no chown");
}

os::Command RealCluster::AsServer(const std::string& program, std::vector<std::string> arguments) const {
  os::Command command{.program = program, .arguments = std::move(arguments), .environment = os::CleanEnvironment()};
  if (geteuid() == 0) {
    std::vector<std::string> before = {"--reuid=65534", "--regid=65534", "--clear-groups", "--pdeathsig=QUIT", program};
    command.arguments.insert(command.arguments.begin(), before.begin(), before.end());
    command.program = "/usr/bin/setpriv";
  }
  return command;
}

void RealCluster::RunAsServer(const std::string& program, std::vector<std::string> arguments) {
  const os::ChildResult result = os::RunCommand(AsServer(Programs() + "/" + program, std::move(arguments)), host_);
  ASSERT_EQ(result.exit_code, 0) << program << ": " << result.errors;
}

void RealCluster::Run(const std::string& program, std::vector<std::string> arguments) {
  const os::ChildResult result =
      os::RunCommand({Programs() + "/" + program, std::move(arguments), os::CleanEnvironment()}, host_);
  ASSERT_EQ(result.exit_code, 0) << program << ": " << result.errors;
}

void RealCluster::Init() {
  RunAsServer("initdb", {"--pgdata=" + Data(), "--username=boss", "--auth=trust", "--no-sync", "--no-instructions",
                         "--locale=C", "--wal-segsize=1"});
  Configure(
      "listen_addresses=''\nport=5432\nfsync=off\nsummarize_wal=on\nwal_keep_size=512MB\nmax_wal_senders=5\n"
      "allow_in_place_tablespaces=on\nshared_buffers=16MB\nmax_connections=20\nautovacuum=off\n"
      "unix_socket_directories='" +
      directory_ + "'\n");
}

void RealCluster::Configure(const std::string& lines) {
  const std::string path = Data() + "/postgresql.auto.conf";
  Write(path, (os::Exists(path) ? os::ReadFile(path) : "") + lines);
}

void RealCluster::TakeOver(const std::string& directory) {
  if (geteuid() == 0) os::RunCommand({"/bin/chown", {"-R", "65534:65534", directory}, os::CleanEnvironment()}, host_);
}

void RealCluster::Start() {
  os::Command command = AsServer(Programs() + "/postgres", {"-D", Data()});
  command.end_signal = SIGQUIT;
  server_ = std::make_unique<os::Child>(command);
  const bool started = Eventually([&] {
    if (server_->Ended()) throw std::runtime_error("the server died: " + server_->result().errors);
    try {
      Sql("SELECT 1");
      return true;
    } catch (const core::Error&) {
      return false;
    }
  });
  ASSERT_TRUE(started);
}

void RealCluster::Stop() { server_.reset(); }

std::string RealCluster::Conninfo() const { return "host='" + directory_ + "' port=5432 user=boss"; }

os::Connection RealCluster::Connect() {
  const os::Session session(os::SessionKind::kRestoringSuperuser, Conninfo() + " dbname=postgres", "test", 17);
  return {session, host_, kConnectLimit};
}

RecoveryFixture::RecoveryFixture()
    : server_((chmod(temporary_.path().c_str(), 0711), temporary_ / "server"), host_),
      store_(temporary_ / "recovery", kNode) {
  for (const char* name : {"recovery", "scratch", "bin"}) os::MakeDirectory(temporary_ / name, 0700);
  server_.Init();
  server_.Start();
  job_.directory = temporary_ / "recovery";
  job_.node = kNode;
  job_.database = "postgres";
  job_.data_directory = server_.Data();
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

void RecoveryFixture::Receive(RealCluster& server) {
  receiver_.reset();
  receiver_ = std::make_unique<os::Child>(os::Command{
      .program = RealCluster::Programs() + "/pg_receivewal",
      .arguments = {"-d", server.Conninfo(), "-D", store_.ReceivingPath(), "--synchronous", "--no-password"},
      .environment = os::CleanEnvironment()});
  const char* streaming = "SELECT count(*) > 0 FROM pg_stat_replication WHERE application_name = 'pg_receivewal'";
  ASSERT_TRUE(Eventually([&] { return server.Sql(streaming) == "t"; }));
}

void RecoveryFixture::Replace(const std::string& program, const std::string& body) {
  WriteScript(temporary_ / ("bin/" + program), "REAL='" + RealCluster::Programs() + "/" + program + "'\n" + body);
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

void RecoveryFixture::StartRecovered(const core::BaseRecord& base, RealCluster& recovered) {
  std::vector<std::string> arguments;
  for (const core::BaseRecord& member : core::ChainOf(store_.Bases(), base.id)) {
    const std::string unpacked = recovered.directory() + "/" + member.id;
    os::MakeDirectory(unpacked, 0700);
    os::UnpackBase(store_, member, unpacked, 0, host_);
    arguments.push_back(unpacked);
  }
  if (arguments.size() == 1) {
    os::Rename(arguments[0], recovered.Data());
  } else {
    arguments.insert(arguments.end(), {"--no-sync", "--output=" + recovered.Data()});
    recovered.Run("pg_combinebackup", arguments);
  }
  // It would have recovery make links to where the live server has its files.
  os::RemoveTree(recovered.Data() + "/tablespace_map");
  os::RemoveTree(recovered.Data() + "/standby.signal");
  Write(recovered.Data() + "/recovery.signal", "");
  core::Segment segment = core::SegmentAt(base.timeline, base.start, base.segment_bytes);
  for (const core::Segment last = core::SegmentAt(base.timeline, base.end - 1, base.segment_bytes); segment <= last;
       ++segment.number) {
    const std::string name = core::SegmentName(segment, base.segment_bytes);
    os::FetchSegment(store_, segment, base.segment_bytes, recovered.Data() + "/pg_wal/" + name, host_);
  }
  recovered.Configure("unix_socket_directories='" + recovered.directory() +
                      "'\nprimary_conninfo=''\nrestore_command='/bin/false'\n");
  recovered.TakeOver(recovered.Data());
  recovered.Start();
}

}  // namespace mfi::test
