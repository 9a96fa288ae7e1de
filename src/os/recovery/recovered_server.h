#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/recovery/base_record.h"
#include "core/recovery/history.h"
#include "os/recovery/recovery_job.h"
#include "os/recovery/wal_feeder.h"
#include "os/restore/private_server.h"
#include "os/restore/scratch_place.h"

namespace mfi::os {

/// A private server on a copy of the data that the store has, which replays WAL of the store as far as it is told. It
/// is a standby without a primary: it takes what is laid out in its pg_wal, and waits where that ends.
class RecoveredServer {
 public:
  /// `chain`: the bases to combine, a full one first. `settings`: such as a recovery target.
  RecoveredServer(RecoveryJob job, const RecoveryStore& store, std::vector<core::BaseRecord> chain,
                  core::History history, std::vector<std::string> settings, Waiter& waiter);
  ~RecoveredServer();
  RecoveredServer(const RecoveredServer&) = delete;
  RecoveredServer& operator=(const RecoveredServer&) = delete;

  /// Unpacks and combines the bases. Throws Error(53100) when there is not enough room.
  void Unpack();

  /// Called now and then with what has been replayed so far.
  using Progress = std::function<void(core::Lsn replayed)>;

  /// Replays all records that end at or before `until`; returns when `record`, where one of them begins, is among
  /// them, or when the server has come to its recovery target. Starts the server when it does not run. A standby takes
  /// no sessions where transactions with more than 64 subtransactions go on: then it has ended its recovery there.
  /// Throws Error(XX001) when WAL is damaged before, Error(38000) when it takes no sessions there either.
  void Replay(core::Lsn until, core::Lsn record, const Progress& progress = {});

  /// Whether it is a primary by now, which replays no more.
  bool HasEnded() const { return ended_; }

  /// Whether it stands at the recovery target of its settings.
  bool AtTarget();

  /// The end of what was replayed, and the time of the last commit in it, in microseconds since 1970; 0: none.
  core::Lsn Replayed();
  std::int64_t LastCommitMicros();

  /// Makes it a primary, if it is none.
  void Promote();

  /// Shuts it down: its data directory is left, until this object goes.
  void StopForGood();

  /// Where the configuration is that the base had in its data directory.
  std::string ConfigurationPath() const { return place_.directory() + "/configuration"; }

  std::unique_ptr<Connection> Open(const std::string& database);
  PrivateServer& server() { return server_; }
  const ScratchPlace& place() const { return place_; }
  const core::BaseRecord& base() const { return chain_.back(); }

  /// Waits as the caller does, and looks at the server meanwhile.
  Waiter& waiter() { return beside_; }

 private:
  void Combine(const std::vector<std::string>& parts);
  void WriteConfiguration() const;
  void Start();
  std::vector<std::string> RequiredSettings();
  bool GoesOnWithMore();
  bool Answers();
  bool HasTarget() const;
  bool HasCome(core::Lsn record);
  bool IsPaused();
  core::Lsn ReplaysIn() const;
  bool Round(core::Lsn record, const Progress& progress);
  void CheckProgress(core::Lsn replayed, bool all_is_there);

  RecoveryJob job_;
  const RecoveryStore& store_;
  std::vector<core::BaseRecord> chain_;
  std::vector<std::string> settings_;
  core::History history_;
  Waiter& waiter_;
  ScratchPlace place_;
  PrivateServer server_;
  BesideServer beside_;
  WalFeeder feeder_;
  std::vector<std::string> required_;  // settings that its WAL asks for
  bool started_ = false;
  std::unique_ptr<Connection> admin_;
  bool told_to_end_ = false;
  bool ended_ = false;
  core::Lsn stands_at_ = 0;
  std::chrono::steady_clock::time_point stands_since_{};
  int looks_ = 0;
};

}  // namespace mfi::os
