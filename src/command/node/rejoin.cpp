#include "command/node/rejoin.h"

#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <utility>
#include <vector>

#include "command/node/logged.h"
#include "core/base/error.h"
#include "core/base/names.h"
#include "core/base/timestamp.h"
#include "core/node/settings_text.h"
#include "os/base/directory_owner.h"
#include "os/base/file.h"
#include "os/node/cluster_copy.h"
#include "os/node/control_file.h"
#include "os/node/replacement.h"
#include "os/node/replication_slot.h"
#include "os/node/server_program.h"
#include "os/node/standby_files.h"
#include "os/node/upstream.h"
#include "os/server/operator_session.h"
#include "os/server/standby_source.h"

namespace mfi::command {
namespace {

using os::Connection;
using os::Refuse;
using std::chrono::steady_clock;

constexpr char kName[] = "mfi rejoin";
constexpr char kTablespaces[] =
    "SELECT oid, pg_tablespace_location(oid) FROM pg_tablespace WHERE pg_tablespace_location(oid) LIKE '/%'";
constexpr std::chrono::seconds kStreamingLimit{60};
constexpr std::chrono::milliseconds kLookAgain{500};

class Rejoining {
 public:
  Rejoining(RejoinOptions options, os::Waiter& waiter, os::NodeLog& log);
  void Run();

 private:
  void Connect();
  core::ControlData CheckHere();
  void CheckThere(const core::ControlData& own);
  std::uint32_t StreamableTimeline();
  bool Rewind();
  void MakeStandby(const std::string& data);
  void Clone();
  void Start();
  void WaitUntilStreaming();

  RejoinOptions options_;
  os::Waiter& waiter_;
  os::NodeLog& log_;
  std::string superuser_;  // keywords
  std::string stream_;     // keywords
  std::string new_data_;
  std::unique_ptr<Connection> primary_;
  std::vector<os::Tablespace> tablespaces_;  // of the new primary
};

Rejoining::Rejoining(RejoinOptions options, os::Waiter& waiter, os::NodeLog& log)
    : options_(std::move(options)), waiter_(waiter), log_(log) {
  options_.data = os::RealPath(options_.data);
  if (options_.name.empty()) options_.name = options_.slot;
  superuser_ = os::ConninfoKeywords(options_.primary) + "dbname=postgres";
  stream_ = os::ConninfoKeywords(options_.replication.empty() ? options_.primary : options_.replication);
  new_data_ = options_.data + ".clone";
}

core::ControlData Rejoining::CheckHere() {
  if (geteuid() == 0) {
    Refuse("not as root; nothing was changed",
           "Run it as the user of the server: runuser -u postgres -- mfi rejoin ...");
  }
  if (os::Exists(new_data_)) {
    Refuse(new_data_ + " is in the way; nothing was changed", "It is what an interrupted clone left: remove it.");
  }
  const auto own = os::FindControlData(options_.data, waiter_);
  if (!own) {
    Refuse(options_.data + " is no data directory; nothing was changed", "Give that of the old primary.");
  }
  if (os::RunServerProgram("pg_ctl", {"status", "-D", options_.data}, waiter_).exit_code == 0) {
    Refuse("the server of " + options_.data + " runs; nothing was changed",
           "Stop it first: pg_ctl stop -D " + options_.data + " (or systemctl stop ...)");
  }
  return *own;
}

std::uint32_t Rejoining::StreamableTimeline() {
  try {
    return os::AskUpstream(stream_, kName, waiter_).timeline;
  } catch (const core::Stop&) {
    throw;
  } catch (const core::Error& error) {
    log_.Words(error.what());
    Refuse("this node may not stream from the new primary; nothing was changed",
           "Correct --replication, or 'host replication ...' in the other node's pg_hba.conf.");
  }
}

void Rejoining::Connect() { primary_ = os::OpenForOperator(superuser_, kName, std::chrono::seconds{0}, waiter_); }

void Rejoining::CheckThere(const core::ControlData& own) {
  try {
    Connect();
  } catch (const os::ConnectError& error) {
    log_.Words(error.what());
    Refuse("the new primary cannot be asked; nothing was changed", "Correct -d, or the other node's pg_hba.conf.");
  }
  if (primary_->Value("SELECT pg_is_in_recovery()") != "f") {
    Refuse("the server of -d is a standby, not a primary; nothing was changed", "Run mfi promote there first.");
  }
  if (primary_->Value("SELECT rolsuper FROM pg_roles WHERE rolname = current_user") != "t") {
    Refuse("the role of -d is no superuser; nothing was changed",
           "pg_rewind reads files of the other node: use postgres.");
  }
  const std::string system = primary_->Value("SELECT system_identifier FROM pg_control_system()");
  if (system != own.system_identifier) {
    Refuse("the two nodes are different clusters (system " + system + " there, " + own.system_identifier +
               " here); nothing was changed",
           "Correct -D or -d.");
  }
  const std::uint32_t timeline = StreamableTimeline();
  if (timeline <= own.timeline) {
    Refuse("the node of -d was not promoted from this one (timeline " + std::to_string(timeline) + " there, " +
               std::to_string(own.timeline) + " here); nothing was changed",
           "When this one was promoted last, it is the primary: run mfi rejoin on the other node.");
  }
  log_.Say("rejoining timeline " + std::to_string(timeline) + "; what only this node has written since is given up");
}

/// pg_rewind brings the other node's configuration along: this node's own comes back. Where it is kept already, an
/// attempt before was interrupted, and what is in the data directory may be the other node's.
bool Rejoining::Rewind() {
  const std::string own = options_.data + ".own";
  if (!os::Exists(own)) {
    const std::string unfinished = own + ".new";
    os::RemoveTree(unfinished);
    os::MakeDirectory(unfinished, 0700);
    os::KeepOwnFiles(options_.data, unfinished);
    os::Rename(unfinished, own);
  }
  const bool done = os::RewindCluster(options_.data, superuser_, options_.config_file, waiter_, log_);
  os::KeepOwnFiles(own, options_.data);
  os::RemoveTree(own);
  return done;
}

void Rejoining::MakeStandby(const std::string& data) {
  os::ReplaceSettings(
      data, {"primary_conninfo", "primary_slot_name", "recovery_target*", "synchronous_standby_names"},
      core::SettingLine("primary_conninfo", stream_ + "application_name=" + core::ConninfoValue(options_.name)) +
          core::SettingLine("primary_slot_name", options_.slot));
  os::MarkStandby(data);
}

void Rejoining::Clone() {
  os::Replacement replacement(options_.data, tablespaces_, ".aside." + core::FormatCompact(std::time(nullptr)));
  log_.Say("cloning the new primary; the old data directory stays as " + replacement.aside() +
           (os::OutsideOf(options_.data).empty() ? "" : ", and what belongs to it elsewhere beside it, too"));
  try {
    if (!os::CopyCluster(replacement.clone(), stream_, options_.slot, waiter_, log_, replacement.options())) {
      Refuse("the clone failed; the old data directory is as it was",
             "The lines above say why. Then run this again with --clone.");
    }
    os::KeepOwnFiles(options_.data, replacement.clone());
    MakeStandby(replacement.clone());
    replacement.TakeOver();
  } catch (const core::Error&) {
    replacement.Discard();
    throw;
  }
}

void Rejoining::Start() {
  const std::string log_file = options_.data + "/rejoin.log";
  std::vector<std::string> arguments = {"start", "-s", "-w", "-t", "600", "-D", options_.data, "-l", log_file};
  if (!options_.config_file.empty()) {
    arguments.insert(arguments.end(), {"-o", "-c config_file=" + options_.config_file});
  }
  const os::ChildResult result = os::RunServerProgram("pg_ctl", std::move(arguments), waiter_);
  log_.Words(result.errors);
  if (result.exit_code != 0) Refuse("the server did not start", "Read " + log_file);
}

void Rejoining::WaitUntilStreaming() {
  Connect();
  const std::string streaming =
      "SELECT count(*) FROM pg_replication_slots s JOIN pg_stat_replication r ON r.pid = s.active_pid "
      "WHERE s.slot_name = " +
      core::SqlLiteral(options_.slot) + " AND r.state = 'streaming'";
  for (const auto end = steady_clock::now() + kStreamingLimit; steady_clock::now() < end;) {
    if (primary_->Value(streaming) != "0") return;
    waiter_.Wait(-1, false, kLookAgain);
  }
  Refuse("this node runs, but does not stream yet",
         "Read its log, and ask the new primary: SELECT * FROM mfi_replication_health");
}

void Rejoining::Run() {
  CheckThere(CheckHere());
  os::MakeSlot(*primary_, options_.slot);
  for (const os::Row& row : primary_->Query(kTablespaces)) {
    tablespaces_.push_back({row.at(0).value_or(""), row.at(1).value_or("")});
  }
  primary_.reset();  // what follows may take hours
  if (!options_.clone && Rewind()) {
    os::DropOwnSlots(options_.data);
    MakeStandby(options_.data);
  } else {
    if (!options_.clone) log_.Say("pg_rewind could not do it (above)");
    Clone();
  }
  if (!options_.start) {
    log_.Say("start this node's server now; it will stream from the new primary through slot " + options_.slot);
    return;
  }
  Start();
  WaitUntilStreaming();
  log_.Say("this node is a standby of the new primary and streams from it");
}

}  // namespace

int Rejoin(RejoinOptions options, std::ostream& out) {
  return Logged(out, [&](os::Waiter& waiter, os::NodeLog& log) {
    Rejoining(std::move(options), waiter, log).Run();
    return 0;
  });
}

}  // namespace mfi::command
