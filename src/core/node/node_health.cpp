#include "core/node/node_health.h"

#include <cmath>

#include "core/base/timestamp.h"

namespace mfi::core {
namespace {

/// Far beyond what lies between the two phases of a commit.
constexpr double kOldPrepared = 600;
/// Of two thousand million, where the server refuses to write.
constexpr std::int64_t kWraparoundCritical = 1'200'000'000;

class Judge {
 public:
  explicit Judge(const NodeFacts& facts) : facts_(facts) {}

  Reasons Run() {
    Library();
    reasons_.insert(reasons_.end(), facts_.schema.begin(), facts_.schema.end());
    for (const DatabaseFacts& database : facts_.databases) Database(database);
    Transactions();
    Wraparound("transaction", facts_.xid_age, facts_.freeze_max_age);
    Wraparound("multixact", facts_.multixact_age, facts_.multixact_freeze_max_age);
    return std::move(reasons_);
  }

 private:
  void Add(Verdict verdict, const char* code, std::string sentence, std::string next_step) {
    reasons_.push_back({verdict, code, std::move(sentence), std::move(next_step)});
  }

  void Library() {
    if (!facts_.preloaded) {
      Add(Verdict::kCritical, "not-preloaded", "the mfi library is not loaded at server start",
          "Set shared_preload_libraries = 'mfi' in postgresql.conf and restart the server.");
    } else if (!facts_.launcher_alive) {
      Add(Verdict::kCritical, "launcher-down", "the mfi launcher is not running",
          "It restarts by itself within seconds; if not, read the server's log.");
    } else {
      Workers();
    }
    if (!facts_.invalid_settings.empty()) {
      Add(Verdict::kCritical, "setting-invalid", facts_.invalid_settings,
          "Correct the line, then SELECT pg_reload_conf(); pg_file_settings shows every line's state.");
    }
  }

  void Workers() {
    if (!facts_.watcher_alive) {
      Add(Verdict::kCritical, "watcher-down", "the mfi watcher is not running, so nobody looks at replication",
          "It restarts by itself within seconds; if not, read the server's log (max_worker_processes may be too "
          "small).");
    }
    if (facts_.launcher_stalled_s > 0) {
      Add(Verdict::kUnknown, "launcher-stalled",
          "the mfi launcher has not come round for " + FormatDuration(std::llround(facts_.launcher_stalled_s)) +
              ": schedule, requests and notifications wait",
          kStalledStep);
    }
    if (!facts_.peers_unsaved.empty()) {
      Add(Verdict::kWarning, "peers-not-saved",
          "which standbys there are is known, but not on disk: " + facts_.peers_unsaved,
          "Free space in the data directory, or make it writable; it is tried again by itself. A restart before that "
          "forgets who was missing, and since when.");
    }
    if (!facts_.maintenance_failure.empty()) {
      Add(Verdict::kWarning, "maintenance-failed",
          "what keeps the audit partitions ahead could not do its work: " + facts_.maintenance_failure,
          "Take away what hinders it; it is tried again within the hour. In database " + facts_.database +
              ", SELECT mfi_audit_ensure_partitions(3) shows at once whether it can.");
    }
  }

  void Database(const DatabaseFacts& database) {
    if (database.checksum_failures > 0) {
      Add(Verdict::kCritical, "checksum-failures",
          "database " + database.name + " has " + std::to_string(database.checksum_failures) +
              " pages that were damaged on disk when they were read",
          "Take a backup of the other node, promote it, and replace this machine's disk; the server's log names the "
          "files.");
    }
    if (!database.collation_version.empty() && !database.actual_collation_version.empty() &&
        database.collation_version != database.actual_collation_version) {
      Add(Verdict::kWarning, "collation-drift",
          "database " + database.name + " was made with collation version " + database.collation_version +
              ", this machine sorts by " + database.actual_collation_version + ": indexes on text may miss rows",
          "On the primary: REINDEX DATABASE " + database.name + "; ALTER DATABASE " + database.name +
              " REFRESH COLLATION VERSION. Both nodes need the same version.");
    }
  }

  void Transactions() {
    if (facts_.oldest_transaction_s.value_or(0) >= facts_.transaction_warning_s) {
      Add(Verdict::kWarning, "transaction-old",
          "process " + std::to_string(facts_.oldest_transaction_pid) + " has had a transaction open for " +
              FormatDuration(std::llround(*facts_.oldest_transaction_s)) + ": VACUUM cannot clean up after it",
          "SELECT * FROM pg_stat_activity WHERE pid = " + std::to_string(facts_.oldest_transaction_pid) +
              "; end it with pg_terminate_backend when nobody needs it (mfi.transaction_warning is the limit).");
    }
    if (facts_.prepared_transactions > 0 && facts_.oldest_prepared_s >= kOldPrepared) {
      Add(Verdict::kWarning, "prepared-transaction-old",
          std::to_string(facts_.prepared_transactions) + " prepared transactions, the oldest (" +
              facts_.oldest_prepared_gid + ") for " + FormatDuration(std::llround(facts_.oldest_prepared_s)) +
              ": they keep locks and dead rows, also over a restart",
          "COMMIT PREPARED or ROLLBACK PREPARED each row of pg_prepared_xacts.");
    }
  }

  /// Autovacuum begins at `freeze_max_age`; at twice that it is not getting anywhere.
  void Wraparound(const char* what, std::int64_t age, std::int64_t freeze_max_age) {
    if (age < kWraparoundCritical && (freeze_max_age == 0 || age < 2 * freeze_max_age)) return;
    Add(age >= kWraparoundCritical ? Verdict::kCritical : Verdict::kWarning, "wraparound-near",
        std::string("the oldest ") + what + " id is " + std::to_string(age / 1'000'000) +
            " million old; writes are refused at 2000 million",
        "End old transactions and drop unused slots, then VACUUM (FREEZE) in each database on the primary.");
  }

  const NodeFacts& facts_;
  Reasons reasons_;
};

}  // namespace

Reasons JudgeNode(const NodeFacts& facts) { return Judge(facts).Run(); }

}  // namespace mfi::core
