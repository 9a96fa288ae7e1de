#include "command/node/follow_backups.h"

#include <chrono>
#include <utility>

#include "command/base/command_host.h"
#include "core/base/error.h"
#include "core/base/printable.h"
#include "os/node/node_log.h"

namespace mfi::command {
namespace {

constexpr std::chrono::seconds kLimit{60};
constexpr std::chrono::seconds kLookAgain{2};

constexpr char kStartBackup[] =
    "SELECT mfi_backup_now(note => 'start of db-backup') "
    "WHERE pg_postmaster_start_time() < now() - interval '1 minute' AND NOT EXISTS (SELECT FROM mfi_backups "
    "WHERE state IN ('queued', 'dumping', 'publishing', 'verifying') "
    "OR (state = 'succeeded' AND NOT is_foreign AND finished_at > now() - interval '1 hour'))";

constexpr char kRecent[] =
    "SELECT id, state || coalesce(verify_result, ''), concat_ws(' ', id, state, '(' || trigger || ')', "
    "pg_size_pretty(size_bytes), 'verified by ' || verify_method || ': ' || verify_result, error) "
    "FROM mfi_backups WHERE coalesce(finished_at, now()) > now() - interval '10 minutes' ORDER BY queued_at";

/// Calls `work` until it succeeds. A server that restarts or cannot be reached is asked again.
template <typename Work>
void UntilItSucceeds(CommandHost& host, const Work& work) {
  for (;;) {
    try {
      work();
      return;
    } catch (const core::Stop&) {
      throw;
    } catch (const core::Error&) {
      host.Wait(-1, false, kLookAgain);
    }
  }
}

}  // namespace

void BackupChanges::Tell(Client& client, os::NodeLog& log) {
  std::map<std::string, std::string> now;
  for (const os::Row& row : client.Ask(kRecent)) {
    const std::string id = row.at(0).value_or("");
    std::string state = row.at(1).value_or("");
    if (const auto known = told_.find(id); known == told_.end() || known->second != state) {
      log.Say(core::Printable(row.at(2).value_or("")));
    }
    now[id] = std::move(state);
  }
  told_ = std::move(now);
}

void FollowBackups(std::ostream& out) {
  PrepareEnvironment();
  CommandHost host;
  Client client(host, "follow", kLimit);
  os::NodeLog log(out);
  log.Say(
      "db-backup: docker compose exec db-backup /backup.sh takes a backup, /restore.sh restores one, /health.sh tells "
      "the state");
  try {
    UntilItSucceeds(host, [&] { client.Ask(kStartBackup); });
    BackupChanges changes;
    for (;;) {
      UntilItSucceeds(host, [&] { changes.Tell(client, log); });
      host.Wait(-1, false, kLookAgain);
    }
  } catch (const core::Stop&) {
    // The container is stopped.
  }
}

}  // namespace mfi::command
