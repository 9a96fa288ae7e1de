#include "os/restore/scratch_server.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "core/base/error.h"
#include "core/base/names.h"
#include "os/process/niceness.h"
#include "os/process/private_log.h"

namespace mfi::os {
namespace {

using core::Error;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr int kPort = 5432;
constexpr std::size_t kLongestDirectory = 83;  // a socket path is at most 107 bytes
constexpr seconds kStartLimit{120};
constexpr milliseconds kPiece{50};
constexpr milliseconds kLook{100};

// Not durable and not replicated, because it lives for one restore; nothing of the restored database may start to run.
constexpr const char* kSettings[] = {"listen_addresses=",
                                     "port=5432",
                                     "unix_socket_permissions=0700",
                                     "max_worker_processes=0",
                                     "max_logical_replication_workers=0",
                                     "max_wal_senders=0",
                                     "wal_level=minimal",
                                     "archive_mode=off",
                                     "autovacuum=off",
                                     "fsync=off",
                                     "full_page_writes=off",
                                     "synchronous_commit=off",
                                     "checkpoint_timeout=1d",
                                     "max_wal_size=4GB",
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

// Whatever answers at its socket gets no password of this user's, nor is asked for anything but trust.
constexpr const char* kNoSecrets = " passfile=/dev/null require_auth=none sslmode=disable gssencmode=disable";

constexpr std::string_view kUnforeseen = "XXXXXX";  // mkdtemp's

std::string MakeUnforeseen(std::string path) {
  path += kUnforeseen;
  if (mkdtemp(path.data()) == nullptr) ThrowErrno(errno, "create the directory", path);
  return path;
}

/// Whether `name` is one that MakeUnforeseen has made of `beginning`.
bool IsMadeOf(const std::string& beginning, const std::string& name) {
  return name.size() == beginning.size() + kUnforeseen.size() && name.starts_with(beginning) &&
         std::all_of(name.begin() + static_cast<std::ptrdiff_t>(beginning.size()), name.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0; });
}

/// Open and locked when it is a directory of this user whose server is not there (any more).
UniqueFd LockOwn(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  if (!fd.valid() || fstat(fd.get(), &status) != 0 || status.st_uid != geteuid()) return {};
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return {};
  return fd;
}

}  // namespace

ScratchServer::ScratchServer(const ScratchOptions& options, Waiter& waiter) : options_(options), waiter_(waiter) {
  directory_ = MakeUnforeseen(options_.directory);
  try {
    MakeDirectories();
    Start();
    WaitUntilReady();
  } catch (...) {
    RemoveFiles();
    throw;
  }
}

void ScratchServer::MakeDirectories() {
  lock_ = LockOwn(directory_);
  if (directory_.size() <= kLongestDirectory) {
    socket_directory_ = directory_ + "/run";
    MakeDirectory(socket_directory_, 0700);
  } else {
    socket_directory_ = MakeUnforeseen("/tmp/mfi-scratch-");
  }
}

ScratchServer::~ScratchServer() { RemoveFiles(); }

void ScratchServer::RemoveFiles() {
  server_.reset();
  try {
    RemoveTree(directory_);
    if (!socket_directory_.empty()) RemoveTree(socket_directory_);
  } catch (const Error&) {
    // The launcher removes what is left of it later.
  }
}

void ScratchServer::Start() {
  const ChildResult made =
      RunCommand({options_.binary_directory + "/initdb",
                  {"--pgdata=" + DataDirectory(), "--username=" + options_.superuser, "--auth=trust",
                   "--encoding=" + options_.encoding, "--locale=C", "--no-sync", "--no-instructions"},
                  CleanEnvironment(),
                  options_.niceness},
                 waiter_);
  if (made.exit_code != 0) {
    throw Error(core::sqlstate::kExternalRoutine, "initdb of the scratch server failed: " + ProgramWords(made));
  }
  MakeSandbox();
  std::vector<std::string> arguments = {"-D", DataDirectory()};
  std::vector<std::string> settings = options_.settings;
  settings.insert(settings.end(), std::begin(kSettings), std::end(kSettings));
  settings.push_back("max_locks_per_transaction=" +
                     std::to_string(64 + std::min<std::size_t>(options_.tables, 1'000'000) / 10));
  settings.push_back("shared_preload_libraries=" + options_.preload);
  settings.push_back("unix_socket_directories=" + socket_directory_);
  // Whoever restores: those of extensions come with the extension, before all else.
  if (options_.server_major >= 17) settings.emplace_back("event_triggers=off");
  for (const std::string& setting : settings) arguments.insert(arguments.end(), {"-c", setting});
  // Asked to end, it shuts down immediately, whatever its sessions do: what it holds is thrown away.
  server_ = std::make_unique<Child>(Command{.program = options_.binary_directory + "/postgres",
                                            .arguments = arguments,
                                            .environment = CleanEnvironment(),
                                            .niceness = options_.niceness,
                                            .end_signal = SIGQUIT,
                                            .sandbox = sandbox_.get()});
}

void ScratchServer::MakeSandbox() {
  SandboxRules rules = options_.sandbox;
  rules.writable.push_back(DataDirectory());
  rules.sockets.push_back(socket_directory_);
  rules.readable.insert(rules.readable.end(), std::begin(kReadable), std::end(kReadable));
  rules.executable.push_back(options_.binary_directory + "/postgres");
  rules.executable.insert(rules.executable.end(), std::begin(kLoaders), std::end(kLoaders));
  sandbox_ = std::make_unique<Sandbox>(rules);
}

void ScratchServer::CheckAlive() {
  if (server_->Ended()) {
    throw Error(core::sqlstate::kExternalRoutine, "the scratch server died: " + ProgramWords(server_->result()));
  }
  // The postmaster first, whose session we started; each of its processes has one of its own.
  Renice(server_->pid(), options_.niceness);
  ReniceDescendants(server_->pid(), options_.niceness);
}

void ScratchServer::WaitUntilReady() {
  const auto deadline = steady_clock::now() + kStartLimit;
  for (;;) {
    CheckAlive();
    try {
      const Connection probe(OpenAs(SessionKind::kSuperuserOnOthersData, options_.superuser, "postgres"), waiter_,
                             seconds(10));
      return;
    } catch (const Error& error) {
      if (error.sqlstate() != core::sqlstate::kConnectionFailure || steady_clock::now() >= deadline) throw;
    }
    waiter_.Wait(-1, false, kPiece);
  }
}

Session ScratchServer::OpenAs(SessionKind kind, const std::string& role, const std::string& database,
                              const std::string& options) const {
  using core::ConninfoValue;
  return {kind,
          "host=" + ConninfoValue(socket_directory_) + " port=" + std::to_string(kPort) +
              " user=" + ConninfoValue(role) + " dbname=" + ConninfoValue(database) + kNoSecrets,
          "mfi restore proof", options_.server_major, options};
}

void BesideServer::Wait(int fd, bool for_write, std::chrono::milliseconds limit) {
  waiter_.Wait(fd, for_write, std::min(limit, kLook));
  const auto now = steady_clock::now();
  if (now - looked_ < kLook) return;
  looked_ = now;
  server_.CheckAlive();
}

std::string ScratchPath(const std::string& parent, const std::string& node) {
  return parent + "/mfi-scratch-" + node + "-";
}

void RemoveScratchLeftovers(const std::string& parent, const std::string& node) {
  if (!IsDirectory(parent)) return;
  const std::string beginning = ScratchPath({}, node).substr(1);
  std::optional<Error> failure;
  for (const std::string& name : ListDirectory(parent)) {
    if (!IsMadeOf(beginning, name)) continue;
    try {
      const std::string path = parent + "/" + name;
      if (const UniqueFd locked = LockOwn(path); locked.valid()) RemoveTree(path);
    } catch (const Error& error) {
      failure = error;
    }
  }
  if (failure) throw Error(*failure);
}

}  // namespace mfi::os
