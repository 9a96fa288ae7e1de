#include "os/restore/scratch_server.h"

#include <algorithm>
#include <chrono>

#include "core/base/error.h"
#include "os/process/private_log.h"

namespace mfi::os {
namespace {

using core::Error;

constexpr std::chrono::milliseconds kPiece{50};

// Not replicated, because it lives for one restore; nothing of the restored database may start to run.
constexpr const char* kSettings[] = {"max_worker_processes=0", "max_wal_senders=0", "wal_level=minimal",
                                     "checkpoint_timeout=1d", "max_wal_size=4GB"};

PrivateServerOptions Private(const ScratchOptions& options, const ScratchPlace& place) {
  return {.called = "the scratch server",
          .application_name = "mfi restore proof",
          .binary_directory = options.binary_directory,
          .data_directory = place.DataDirectory(),
          .socket_directory = place.socket_directory(),
          .server_major = options.server_major,
          .niceness = options.niceness,
          .sandbox = options.sandbox};
}

}  // namespace

ScratchServer::ScratchServer(const ScratchOptions& options, Waiter& waiter)
    : options_(options), place_(options.directory), server_(Private(options, place_)) {
  MakeData(waiter);
  Start();
  WaitUntilReady(waiter);
}

void ScratchServer::MakeData(Waiter& waiter) {
  const ChildResult made =
      RunCommand({options_.binary_directory + "/initdb",
                  {"--pgdata=" + place_.DataDirectory(), "--username=" + options_.superuser, "--auth=trust",
                   "--encoding=" + options_.encoding, "--locale=C", "--no-sync", "--no-instructions"},
                  CleanEnvironment(),
                  options_.niceness},
                 waiter);
  if (made.exit_code != 0) {
    throw Error(core::sqlstate::kExternalRoutine, "initdb of the scratch server failed: " + ProgramWords(made));
  }
}

void ScratchServer::Start() {
  std::vector<std::string> settings = options_.settings;
  settings.insert(settings.end(), std::begin(kSettings), std::end(kSettings));
  settings.push_back("max_locks_per_transaction=" +
                     std::to_string(64 + std::min<std::size_t>(options_.tables, 1'000'000) / 10));
  settings.push_back("shared_preload_libraries=" + options_.preload);
  server_.Start(std::move(settings));
}

void ScratchServer::WaitUntilReady(Waiter& waiter) {
  while (!server_.Answers(options_.superuser, waiter)) waiter.Wait(-1, false, kPiece);
}

}  // namespace mfi::os
