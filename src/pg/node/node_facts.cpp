#include "pg/node/node_facts.h"

#include <utility>

#include "pg/replication/watch_memory.h"
#include "pg/schema/maintenance_memory.h"
#include "pg/server/bridge.h"
#include "pg/server/compat.h"
#include "pg/server/invalid_settings.h"
#include "pg/server/settings.h"
#include "pg/server/shared_memory.h"
#include "pg/server/worker_presence.h"

extern "C" {
#include "access/multixact.h"
#include "access/transam.h"
#include "access/twophase.h"
#include "executor/spi.h"
#include "postmaster/autovacuum.h"
}

namespace mfi::pg {
namespace {

constexpr char kDatabases[] =
    "SELECT datname, pg_catalog.pg_stat_get_db_checksum_failures(oid), datcollversion, "
    "CASE WHEN datcollversion IS NOT NULL THEN pg_catalog.pg_database_collation_actual_version(oid) END "
    "FROM pg_catalog.pg_database WHERE datallowconn "
    "UNION ALL SELECT '(shared tables)', pg_catalog.pg_stat_get_db_checksum_failures(0), NULL, NULL";

constexpr char kPrepared[] =
    "SELECT gid, extract(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) prepared) "
    "FROM pg_catalog.pg_prepared_xacts ORDER BY prepared";

/// Sessions of backups are watched by the backups' own time limit. Any session may take such a name; ours are a
/// superuser's.
constexpr char kBackupSession[] = "mfi backup ";

bool IsBackup(const PgBackendStatus& backend) {
  return strncmp(backend.st_appname, kBackupSession, strlen(kBackupSession)) == 0 && superuser_arg(backend.st_userid);
}

/// Runs a query; its plan is kept for this session.
void Run(const char* sql, SPIPlanPtr* plan) {
  if (*plan == nullptr) {
    *plan = SPI_prepare(sql, 0, nullptr);
    if (*plan == nullptr || SPI_keepplan(*plan) != 0) elog(ERROR, "could not prepare: %s", sql);
  }
  if (SPI_execute_plan(*plan, nullptr, nullptr, true, 0) != SPI_OK_SELECT) elog(ERROR, "could not execute: %s", sql);
}

const char* Field(std::uint64_t row, int column) {
  const char* value = SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);
  return value == nullptr ? "" : value;
}

void AddDatabases(core::NodeFacts& facts) {
  static SPIPlanPtr plan = nullptr;
  CallPg([] {
    SPI_connect();
    Run(kDatabases, &plan);
  });
  for (std::uint64_t i = 0; i < SPI_processed; ++i) {
    const auto field = [i](int column) { return CallPg([&] { return Field(i, column); }); };
    core::DatabaseFacts database{.name = field(1)};
    database.checksum_failures = atoll(field(2));
    database.collation_version = field(3);
    database.actual_collation_version = field(4);
    facts.databases.push_back(std::move(database));
  }
  CallPg([] { SPI_finish(); });
}

void AddPrepared(core::NodeFacts& facts) {
  if (max_prepared_xacts == 0) return;
  static SPIPlanPtr plan = nullptr;
  CallPg([] {
    SPI_connect();
    Run(kPrepared, &plan);
  });
  facts.prepared_transactions = static_cast<int>(SPI_processed);
  if (SPI_processed > 0) {
    facts.oldest_prepared_gid = CallPg([] { return Field(0, 1); });
    facts.oldest_prepared_s = atof(CallPg([] { return Field(0, 2); }));
  }
  CallPg([] { SPI_finish(); });
}

struct Oldest {
  TimestampTz started;
  int pid;
};

Oldest OldestTransaction() {
  Oldest oldest{};
  pgstat_clear_backend_activity_snapshot();
  const int backends = pgstat_fetch_stat_numbackends();
  for (int i = 1; i <= backends; ++i) {
    const PgBackendStatus* backend = compat::BackendByIndex(i);
    if (backend == nullptr || backend->st_backendType != B_BACKEND || backend->st_xact_start_timestamp == 0) continue;
    if (IsBackup(*backend)) continue;
    if (oldest.pid == 0 || backend->st_xact_start_timestamp < oldest.started) {
      oldest = {backend->st_xact_start_timestamp, backend->st_procpid};
    }
  }
  return oldest;
}

void AddAges(core::NodeFacts& facts) {
  const Oldest oldest = CallPg(OldestTransaction);
  if (oldest.pid != 0) {
    facts.oldest_transaction_s = static_cast<double>(GetCurrentTimestamp() - oldest.started) / USECS_PER_SEC;
    facts.oldest_transaction_pid = oldest.pid;
  }
  facts.transaction_warning_s = settings::transaction_warning_s;
  MultiXactId first = 0;
  MultiXactId next = 0;
  CallPg([&] { ReadMultiXactIdRange(&first, &next); });
  facts.multixact_age = next - first;
  facts.xid_age = static_cast<std::uint32_t>(ReadNextTransactionId() - compat::OldestXid());
  facts.freeze_max_age = autovacuum_freeze_max_age;
  facts.multixact_freeze_max_age = autovacuum_multixact_freeze_max_age;
}

}  // namespace

core::NodeFacts GatherNodeFacts(core::Reasons schema) {
  core::NodeFacts facts{.schema = std::move(schema)};
  facts.preloaded = IsPreloaded();
  if (facts.preloaded) {
    facts.launcher_alive = LauncherAlive();
    facts.watcher_alive = WatcherAlive();
    facts.launcher_stalled_s = LauncherStalledFor();
    facts.database = settings::database;
    facts.invalid_settings = ToldInvalidSettings();
    facts.peers_unsaved = PeersUnsaved();
    facts.maintenance_failure = MaintenanceFailure();
  }
  AddDatabases(facts);
  AddPrepared(facts);
  AddAges(facts);
  return facts;
}

}  // namespace mfi::pg
