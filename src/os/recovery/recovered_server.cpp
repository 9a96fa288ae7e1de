#include "os/recovery/recovered_server.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "core/base/error.h"
#include "core/base/timestamp.h"
#include "core/node/control_data.h"
#include "os/process/private_log.h"
#include "os/recovery/base_unpack.h"
#include "os/recovery/wal_check.h"

namespace mfi::os {
namespace {

using core::Error;
using core::Lsn;
using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPiece{20};
constexpr std::chrono::seconds kConnectLimit{30};
constexpr std::chrono::milliseconds kStandsStill{10'000};
constexpr int kLooks = 100;  // by sessions that get as little of a busy machine as replay does
constexpr std::chrono::milliseconds kPromotion{600'000};

// Nothing of the node that the base was taken from: neither its upstream nor its archive, no library, no conflict.
constexpr const char* kSettings[] = {"hot_standby=on",
                                     "allow_in_place_tablespaces=on",
                                     "wal_retrieve_retry_interval=20ms",
                                     "max_standby_archive_delay=-1",
                                     "max_standby_streaming_delay=-1",
                                     "wal_recycle=off",
                                     "wal_init_zero=off",
                                     "update_process_title=on",
                                     "checkpoint_timeout=5min",
                                     "max_wal_size=1GB",
                                     "shared_preload_libraries=",
                                     "primary_conninfo=",
                                     "primary_slot_name=",
                                     "restore_command=",
                                     "archive_cleanup_command=",
                                     "recovery_end_command=",
                                     "synchronous_standby_names="};

constexpr char kHba[] = "local all all trust\n";

PrivateServerOptions Private(const RecoveryJob& job, const ScratchPlace& place) {
  return {.called = "the recovered server",
          .application_name = "mfi recovery",
          .binary_directory = job.binary_directory,
          .data_directory = place.DataDirectory(),
          .socket_directory = place.socket_directory(),
          .server_major = job.server_major,
          .niceness = job.niceness,
          .sandbox = job.sandbox};
}

constexpr char kOtherWays[] =
    "mfi recover --list shows what else can be reached; a new full base begins a new chain: SELECT "
    "mfi_recovery_base_now(true).";

[[noreturn]] void ThrowDamaged(Lsn replayed) {
  throw Error(
      core::sqlstate::kDataCorrupted,
      "replay ends at " + core::FormatLsn(replayed) + ", before the end of what was received: WAL is damaged there", {},
      "A new full base begins a new chain: SELECT mfi_recovery_base_now(true).");
}

std::int64_t Number(const std::string& text) { return std::strtoll(text.c_str(), nullptr, 10); }

}  // namespace

RecoveredServer::RecoveredServer(RecoveryJob job, const RecoveryStore& store, std::vector<core::BaseRecord> chain,
                                 core::History history, std::vector<std::string> settings, Waiter& waiter)
    : job_(std::move(job)),
      store_(store),
      chain_(std::move(chain)),
      settings_(std::move(settings)),
      history_(std::move(history)),
      waiter_(waiter),
      place_(ScratchPath(job_.scratch_directory, job_.node)),
      server_(Private(job_, place_)),
      beside_(waiter_, server_),
      feeder_(store_, history_, chain_.back(), place_.DataDirectory()) {
  settings_.push_back("recovery_target_timeline=" + std::to_string(history_.timeline));
}

RecoveredServer::~RecoveredServer() = default;

void RecoveredServer::Unpack() {
  std::int64_t needed = 0;
  for (const core::BaseRecord& base : chain_) needed += base.data_bytes;
  if (chain_.size() > 1) needed += chain_.back().data_bytes;
  if (const std::int64_t free = FreeSpace(place_.directory()); free < needed) {
    throw Error(core::sqlstate::kDiskFull,
                "\"" + job_.scratch_directory + "\" has " + core::FormatBytes(free) + " free, a recovery needs " +
                    core::FormatBytes(needed),
                {}, "Free some space there, or choose another place: mfi.scratch_directory.");
  }
  if (chain_.size() == 1) {
    MakeDirectory(place_.DataDirectory(), 0700);
    UnpackVerified(job_, store_, chain_.front(), place_.DataDirectory(), waiter_);
  } else {
    std::vector<std::string> parts;
    for (const core::BaseRecord& base : chain_) {
      parts.push_back(place_.directory() + "/" + base.id);
      MakeDirectory(parts.back(), 0700);
      UnpackVerified(job_, store_, base, parts.back(), waiter_);
    }
    Combine(parts);
    for (const std::string& part : parts) RemoveTree(part);
  }
  WriteConfiguration();
  feeder_.LayOutHistory();
}

void RecoveredServer::Combine(const std::vector<std::string>& parts) {
  std::vector<std::string> arguments{"--no-sync", "--no-manifest", "--output=" + place_.DataDirectory()};
  arguments.insert(arguments.end(), parts.begin(), parts.end());
  const ChildResult result =
      RunCommand({job_.binary_directory + "/pg_combinebackup", arguments, CleanEnvironment(), job_.niceness}, waiter_);
  if (result.exit_code == 0) return;
  throw Error(core::sqlstate::kExternalRoutine,
              "the bases up to " + chain_.back().id + " could not be combined: " + ProgramWords(result));
}

/// What a node's configuration says stays out. The map would lead tablespaces to where the node has them.
void RecoveredServer::WriteConfiguration() const {
  const std::string data = place_.DataDirectory() + "/";
  for (const char* name : {"recovery.signal", "tablespace_map", "postmaster.pid"}) RemoveTree(data + name);
  MakeDirectory(ConfigurationPath(), 0700);
  for (const char* name : {"postgresql.conf", "postgresql.auto.conf", "pg_hba.conf", "pg_ident.conf"}) {
    if (Exists(data + name)) Rename(data + name, ConfigurationPath() + "/" + name);
    WriteFileAtomically(data + name, name == std::string_view("pg_hba.conf") ? kHba : "", 0600);
  }
  WriteFileAtomically(data + "standby.signal", "", 0600);
}

/// A standby may not have less of these than the primary had whose WAL it replays.
std::vector<std::string> RecoveredServer::RequiredSettings() {
  const ChildResult control = RunCommand(
      {job_.binary_directory + "/pg_controldata", {"-D", place_.DataDirectory()}, CleanEnvironment()}, waiter_);
  std::vector<std::string> settings;
  for (const core::RequiredSetting& setting : core::ParseRequiredSettings(control.output)) {
    settings.push_back(setting.name + "=" + std::to_string(setting.least));
  }
  return settings;
}

void RecoveredServer::Start() {
  required_ = RequiredSettings();
  std::vector<std::string> settings = settings_;
  settings.insert(settings.end(), std::begin(kSettings), std::end(kSettings));
  settings.insert(settings.end(), required_.begin(), required_.end());
  server_.Start(std::move(settings));
  started_ = true;
}

/// Replay pauses when it meets WAL of a primary that had more: true, and it goes on. False: it is at its target.
bool RecoveredServer::GoesOnWithMore() {
  if (RequiredSettings() == required_) {
    if (HasTarget()) return false;
    throw Error(core::sqlstate::kExternalRoutine, "the recovered server paused at " + core::FormatLsn(Replayed()));
  }
  admin_.reset();
  server_.Stop(waiter_);
  Start();
  return true;
}

void RecoveredServer::Replay(Lsn until, Lsn record, const Progress& progress) {
  feeder_.LetReach(until);
  feeder_.Feed(admin_ ? Replayed() : 0, waiter_);
  if (!started_) {
    CheckWalOfBase(job_, base(), history_, place_.DataDirectory() + "/pg_wal", place_.directory() + "/check", waiter_);
    Start();
  }
  stands_since_ = steady_clock::now();
  try {
    while (!Round(record, progress)) beside_.Wait(-1, false, kPiece);
  } catch (const Error& error) {
    if (!told_to_end_ || ended_ || error.sqlstate() != core::sqlstate::kExternalRoutine) throw;
    const std::string why = "base " + base().id + " is not consistent there";
    throw Error(core::sqlstate::kExternalRoutine,
                "the recovered server takes no sessions with WAL to " + core::FormatLsn(until) + ": " +
                    (HasTarget() ? "its target does not come, or " + why : why),
                {}, kOtherWays);
  }
}

/// True: it stands where it shall.
bool RecoveredServer::Round(Lsn record, const Progress& progress) {
  if (!admin_ && Answers()) admin_ = Open("postgres");
  const Lsn replayed = admin_ ? Replayed() : ReplaysIn();
  if (progress && replayed != 0) progress(replayed);
  if (admin_) {
    if (HasCome(record)) return true;
    if (!told_to_end_ && IsPaused()) return !GoesOnWithMore();
  }
  CheckProgress(replayed, feeder_.Feed(replayed, waiter_));
  return false;
}

bool RecoveredServer::Answers() {
  try {
    return server_.Answers(base().superuser, waiter_);
  } catch (const ConnectError& refused) {
    throw Error(core::sqlstate::kObjectNotInPrerequisiteState,
                "the recovered server refuses its superuser \"" + base().superuser + "\": " + refused.what(), {},
                "Base " + base().id +
                    " has that name of it. If it was renamed since, a new base has the new one: SELECT "
                    "mfi_recovery_base_now().");
  }
}

bool RecoveredServer::HasCome(Lsn record) {
  ended_ = admin_->Value("SELECT pg_catalog.pg_is_in_recovery()") == "f";
  // With a target it has come there, or it would have died.
  if (ended_ && !HasTarget() && Replayed() <= record) ThrowDamaged(Replayed());
  return ended_ || (!told_to_end_ && Replayed() > record);
}

/// Where the server waits for WAL that is there, what is there cannot be read. Where all is there and it takes no
/// sessions, only the end of its recovery tells whether it ever will.
void RecoveredServer::CheckProgress(Lsn replayed, bool all_is_there) {
  const bool waits = !admin_ || admin_->Value(
                                    "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE backend_type = "
                                    "'startup' AND wait_event = 'RecoveryRetrieveRetryInterval'") == "1";
  if (replayed != stands_at_ || !waits) {
    stands_at_ = replayed;
    stands_since_ = steady_clock::now();
    looks_ = 0;
  }
  ++looks_;
  const auto limit = admin_ ? kStandsStill : told_to_end_ ? kPromotion : job_.patience;
  if (steady_clock::now() - stands_since_ < limit || looks_ < kLooks) return;
  if (admin_ || told_to_end_ || !all_is_there) {
    if (all_is_there || !feeder_.GoFurther()) ThrowDamaged(replayed);
  } else {
    server_.EndRecovery();
    told_to_end_ = true;
  }
  stands_since_ = steady_clock::now();
  looks_ = 0;
}

/// Without a session: where the segment begins that it is in.
Lsn RecoveredServer::ReplaysIn() const {
  const auto file = core::ParseWalFile(server_.ReplayedSegment(), base().segment_bytes);
  return file ? core::BeginOf(file->segment, base().segment_bytes) : 0;
}

bool RecoveredServer::HasTarget() const {
  return std::any_of(settings_.begin(), settings_.end(),
                     [](const std::string& s) { return s.starts_with("recovery_target_action"); });
}

bool RecoveredServer::IsPaused() {
  return admin_->Value("SELECT pg_catalog.pg_get_wal_replay_pause_state()") == "paused";
}

bool RecoveredServer::AtTarget() { return HasTarget() && admin_ && (ended_ || IsPaused()); }

Lsn RecoveredServer::Replayed() {
  return core::ParseLsn(admin_->Value("SELECT pg_catalog.pg_last_wal_replay_lsn()")).value_or(0);
}

std::int64_t RecoveredServer::LastCommitMicros() {
  return Number(
      admin_->Value("SELECT pg_catalog.floor(EXTRACT(epoch FROM pg_catalog.pg_last_xact_replay_timestamp()) * "
                    "1000000)::pg_catalog.int8"));
}

void RecoveredServer::Promote() {
  if (ended_) return;
  const bool done =
      admin_->Value("SELECT pg_catalog.pg_promote(true, " + std::to_string(kPromotion.count() / 1000) + ")") == "t";
  if (!done) throw Error(core::sqlstate::kExternalRoutine, "the recovered server did not become a primary");
  ended_ = true;
}

void RecoveredServer::StopForGood() {
  admin_.reset();
  server_.Stop(waiter_);
}

std::unique_ptr<Connection> RecoveredServer::Open(const std::string& database) {
  return std::make_unique<Connection>(server_.OpenAs(SessionKind::kSuperuserOnOthersData, base().superuser, database),
                                      beside_, kConnectLimit);
}

}  // namespace mfi::os
