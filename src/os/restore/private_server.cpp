#include "os/restore/private_server.h"

#include <signal.h>

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/base/names.h"
#include "os/base/file.h"
#include "os/process/descendants.h"
#include "os/process/niceness.h"
#include "os/process/private_log.h"

namespace mfi::os {
namespace {

using core::Error;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kPort = 5432;
constexpr milliseconds kLook{100};
constexpr seconds kConnectLimit{10};
constexpr char kCannotConnectNow[] = "57P03";

// What it does is thrown away, or made durable by whoever keeps it. Nobody hears of it and nothing starts to run in it.
constexpr const char* kSettings[] = {"listen_addresses=",
                                     "port=5432",
                                     "unix_socket_permissions=0700",
                                     "max_logical_replication_workers=0",
                                     "archive_mode=off",
                                     "autovacuum=off",
                                     "fsync=off",
                                     "full_page_writes=off",
                                     "synchronous_commit=off",
                                     "maintenance_work_mem=256MB",
                                     "shared_buffers=128MB",
                                     "dynamic_shared_memory_type=mmap",
                                     "huge_pages=off",
                                     "ssl=off",
                                     "log_min_messages=fatal",
                                     "log_checkpoints=off",
                                     "logging_collector=off",
                                     "log_destination=stderr"};

// What a server reads of the machine: libraries, interpreters of procedural languages, time zones, locales,
// dictionaries.
constexpr const char* kReadable[] = {"/usr/lib",
                                     "/usr/lib64",
                                     "/usr/local/lib",
                                     "/lib",
                                     "/lib64",
                                     "/usr/share",
                                     "/etc/ld.so.cache",
                                     "/etc/localtime",
                                     "/etc/ssl/openssl.cnf",
                                     "/var/cache/postgresql/dicts",
                                     "/dev/urandom"};

/// The dynamic loaders of Debian's architectures: the kernel executes them to start a program.
constexpr const char* kLoaders[] = {"/lib64/ld-linux-x86-64.so.2",
                                    "/lib/ld-linux-aarch64.so.1",
                                    "/lib/ld-linux-armhf.so.3",
                                    "/lib64/ld64.so.2",
                                    "/lib/ld64.so.1",
                                    "/lib/ld-linux-riscv64-lp64d.so.1"};

}  // namespace

PrivateServer::PrivateServer(PrivateServerOptions options) : options_(std::move(options)) {}

void PrivateServer::MakeSandbox() {
  SandboxRules rules = options_.sandbox;
  rules.writable.push_back(options_.data_directory);
  rules.sockets.push_back(options_.socket_directory);
  rules.readable.insert(rules.readable.end(), std::begin(kReadable), std::end(kReadable));
  rules.executable.push_back(options_.binary_directory + "/postgres");
  rules.executable.insert(rules.executable.end(), std::begin(kLoaders), std::end(kLoaders));
  sandbox_ = std::make_unique<Sandbox>(rules);
}

void PrivateServer::Start(std::vector<std::string> settings) {
  if (!sandbox_) MakeSandbox();
  settings.insert(settings.end(), std::begin(kSettings), std::end(kSettings));
  settings.push_back("unix_socket_directories=" + options_.socket_directory);
  // Those of extensions come with the extension, before all else.
  if (options_.server_major >= 17) settings.emplace_back("event_triggers=off");
  std::vector<std::string> arguments = {"-D", options_.data_directory};
  for (const std::string& setting : settings) arguments.insert(arguments.end(), {"-c", setting});
  // Asked to end, it shuts down immediately, whatever its sessions do: what it holds is thrown away.
  server_ = std::make_unique<Child>(Command{.program = options_.binary_directory + "/postgres",
                                            .arguments = arguments,
                                            .environment = CleanEnvironment(),
                                            .niceness = options_.niceness,
                                            .end_signal = SIGQUIT,
                                            .sandbox = sandbox_.get()});
}

void PrivateServer::Stop(Waiter& waiter) {
  if (const pid_t postmaster = Postmaster(); postmaster > 0) kill(postmaster, SIGINT);
  while (!server_->WaitPiece(waiter)) {
  }
  if (server_->result().exit_code != 0) {
    throw Error(core::sqlstate::kExternalRoutine,
                options_.called + " could not be shut down: " + ProgramWords(server_->result()));
  }
  server_.reset();
}

void PrivateServer::CheckAlive() {
  if (server_->Ended()) {
    const ChildResult& result = server_->result();
    // By the kernel, for lack of memory, or by a person: no fault of what it holds.
    const bool killed = result.exit_code == 128 + SIGKILL;
    throw Error(killed ? core::sqlstate::kInsufficientResources : core::sqlstate::kExternalRoutine,
                options_.called + (killed ? " was killed" : " died: " + ProgramWords(result)));
  }
  // The postmaster first, whose session we started; each of its processes has one of its own.
  Renice(server_->pid(), options_.niceness);
  ReniceDescendants(server_->pid(), options_.niceness);
}

bool PrivateServer::Answers(const std::string& role, Waiter& waiter) {
  CheckAlive();
  try {
    const Connection probe(OpenAs(SessionKind::kSuperuserOnOthersData, role, "postgres"), waiter, kConnectLimit);
    return true;
  } catch (const ConnectError& unconnected) {
    if (!unconnected.reason().empty() && unconnected.reason() != kCannotConnectNow) throw;
    return false;
  }
}

/// Our child keeps it, and passes no signal on but that to end.
pid_t PrivateServer::Postmaster() const {
  const std::vector<pid_t> kept = ChildrenOf(server_->pid());
  return kept.empty() ? 0 : kept.front();
}

std::string PrivateServer::ReplayedSegment() const {
  const std::string before = "postgres: startup recovering ";
  for (const pid_t process : ChildrenOf(Postmaster())) {
    if (const std::string title = TitleOf(process); title.starts_with(before)) return title.substr(before.size());
  }
  return {};
}

void PrivateServer::EndRecovery() {
  WriteFileAtomically(options_.data_directory + "/promote", "", 0600);
  if (const pid_t postmaster = Postmaster(); postmaster > 0) kill(postmaster, SIGUSR1);
}

Session PrivateServer::OpenAs(SessionKind kind, const std::string& role, const std::string& database,
                              const std::string& options) const {
  using core::ConninfoValue;
  return {kind,
          "host=" + ConninfoValue(options_.socket_directory) + " port=" + std::to_string(kPort) +
              " user=" + ConninfoValue(role) + " dbname=" + ConninfoValue(database) +
              " passfile=" + ConninfoValue(options_.socket_directory + "/none") + kOverSocket,
          options_.application_name, options_.server_major, options};
}

void BesideServer::Wait(int fd, bool for_write, std::chrono::milliseconds limit) {
  waiter_.Wait(fd, for_write, std::min(limit, kLook));
  const auto now = std::chrono::steady_clock::now();
  if (now - looked_ < kLook) return;
  looked_ = now;
  server_.CheckAlive();
}

}  // namespace mfi::os
