#include "recovery/real_server.h"

#include <sys/stat.h>
#include <unistd.h>

#include <stdexcept>

#include "core/base/names.h"
#include "real_programs.h"

namespace mfi::test {
namespace {

constexpr uid_t kNobody = 65534;

}  // namespace

RealServer::RealServer(std::string directory, Data data) : directory_(std::move(directory)) {
  os::MakeDirectory(directory_, 0755);
  if (geteuid() == 0 && chown(directory_.c_str(), kNobody, kNobody) != 0) throw std::runtime_error("chown failed");
  if (data == Data::kNone) return;
  RunAsServer("initdb", {"--pgdata=" + this->data(), std::string("--username=") + kSuperuser, "--auth=trust",
                         "--wal-segsize=1", "--locale=C", "--no-sync", "--no-instructions"});
  Configure(
      "fsync = off\nautovacuum = off\nshared_buffers = 16MB\nmax_connections = 20\nmax_wal_size = 200MB\n"
      "wal_keep_size = 200MB\n");
}

RealServer::RealServer(std::string directory, const RealServer& upstream)
    : RealServer(std::move(directory), Data::kNone) {
  RunAsServer("pg_basebackup", {"--pgdata=" + data(), "--write-recovery-conf", "--checkpoint=fast", "--no-sync",
                                "--dbname=" + upstream.Conninfo()});
}

void RealServer::Configure(const std::string& lines) {
  const std::string path = data() + "/postgresql.auto.conf";
  Write(path, (os::Exists(path) ? os::ReadFile(path) : "") + lines);
}

std::string RealServer::Conninfo() const {
  return "host=" + core::ConninfoValue(directory_) + " port=" + std::to_string(kPort) + " user=" + kSuperuser;
}

os::Command RealServer::As(const std::string& program, std::vector<std::string> arguments) const {
  std::string path = DirectoryOfPrograms() + "/" + program;
  if (geteuid() == 0) {
    const std::string user = std::to_string(kNobody);
    arguments.insert(arguments.begin(),
                     {"--reuid=" + user, "--regid=" + user, "--clear-groups", "--pdeathsig", "QUIT", path});
    path = "/usr/bin/setpriv";
  }
  return {
      .program = path, .arguments = std::move(arguments), .environment = os::CleanEnvironment(), .end_signal = SIGQUIT};
}

void RealServer::RunAsServer(const std::string& program, std::vector<std::string> arguments) {
  const os::ChildResult result = os::RunCommand(As(program, std::move(arguments)), host_);
  if (result.exit_code != 0) throw std::runtime_error(program + " failed: " + result.errors);
}

void RealServer::Run(const std::string& program, std::vector<std::string> arguments) {
  const os::ChildResult result =
      os::RunCommand({DirectoryOfPrograms() + "/" + program, std::move(arguments), os::CleanEnvironment()}, host_);
  ASSERT_EQ(result.exit_code, 0) << program << ": " << result.errors;
}

void RealServer::TakeOver(const std::string& directory) {
  if (geteuid() == 0) os::RunCommand({"/bin/chown", {"-R", "65534:65534", directory}, os::CleanEnvironment()}, host_);
}

void RealServer::Start(const std::vector<std::string>& settings) {
  std::vector<std::string> arguments = {"-D", data()};
  std::vector<std::string> all = {"listen_addresses=", "port=" + std::to_string(kPort),
                                  "unix_socket_directories=" + directory_};
  all.insert(all.end(), settings.begin(), settings.end());
  for (const std::string& setting : all) arguments.insert(arguments.end(), {"-c", setting});
  server_ = std::make_unique<os::Child>(As("postgres", arguments));
  const bool ready = Eventually([&] {
    if (server_->Ended()) throw std::runtime_error("the server died: " + server_->result().errors);
    try {
      return Sql("SELECT 1") == "1";
    } catch (const core::Error&) {
      return false;
    }
  });
  if (!ready) throw std::runtime_error("the server does not start");
}

void RealServer::Stop(int signal_number) {
  // SIGKILL to the group alone would leave its processes, which have sessions of their own: they end by themselves.
  kill(server_->pid(), signal_number);
  if (!Eventually([&] { return server_->Ended(); })) throw std::runtime_error("the server does not end");
  server_.reset();
}

os::Connection RealServer::Connect() {
  const os::Session session(os::SessionKind::kRestoringSuperuser, Conninfo() + " dbname=postgres", "test",
                            MajorOfPrograms());
  return os::Connection(session, host_, std::chrono::seconds(30));
}

void RealServer::Promote() { EXPECT_EQ(Sql("SELECT pg_promote(true, 30)"), "t"); }

}  // namespace mfi::test
