#include "os/node/node_data.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "core/base/timestamp.h"
#include "os/base/file.h"
#include "os/node/cluster_copy.h"
#include "os/node/control_file.h"
#include "os/node/replacement.h"
#include "os/node/replication_slot.h"
#include "os/node/standby_files.h"

namespace mfi::os {
namespace {

constexpr int kTries = 3;
constexpr char kAside[] = "pgdata.aside.";

/// What a volume's own files are that a primary may have in its data directory.
constexpr const char* kOfTheVolume[] = {"mfi-tls", "mfi.lock", "mfi.word", "mfi.word.lock"};

void RemoveMark(const std::string& path) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT) ThrowErrno(errno, "remove", path);
}

}  // namespace

void NodeData::RequireSameSystem(const core::ControlData& upstream) {
  const std::string own = ReadControlData(place_.data, waiter_).system_identifier;
  if (own == upstream.system_identifier) return;
  Refuse("this volume belongs to another database (system " + own + ", " + place_.peer + " is " +
             upstream.system_identifier + "); it is left as it is",
         "If " + place_.peer + " was made anew: remove the volume of " + place_.node +
             " and run docker compose up -d; a new standby is cloned.\nIf not: find out why " + place_.peer +
             " has another volume than before.");
}

void NodeData::SetAside(const std::string& reason) {
  if (place_.data == place_.volume) {
    Refuse(reason, "It fills the volume itself. Remove the volume of " + place_.node + ", then: docker compose up -d");
  }
  const std::string now = core::FormatCompact(std::time(nullptr));
  const std::string aside = place_.volume + "/" + kAside + now;
  const bool more = !OutsideOf(place_.data).empty();
  SetDataAside(place_.data, aside, ".aside." + now);
  log_.Say(reason + ": set aside as " + aside +
           (more ? ", its tablespaces beside themselves (.aside." + now + ")" : "") +
           "; remove it when nothing in it is missed");
}

bool NodeData::IsUnfinishedClone() const {
  if (Exists(place_.Clone())) return true;
  const std::vector<std::string> names = ListDirectory(place_.volume);
  return std::any_of(names.begin(), names.end(), [](const std::string& name) { return name.starts_with(kAside); });
}

/// Settings that would win over this node's own of where its upstream is: those that were cloned speak of the other
/// node's, and others may demand less of it.
void NodeData::UseOwnUpstream(const std::string& data) {
  if (!ReplaceSettings(data, {"primary_conninfo", "primary_slot_name", "cluster_name"}, "")) return;
  log_.Say("postgresql.auto.conf: primary_conninfo, primary_slot_name, cluster_name are removed, this stack sets them");
}

/// The directory stays from its first moment on: it says that this volume is being cloned into.
bool NodeData::CloneOnce() {
  const std::string clone = place_.Clone();
  if (!IsDirectory(clone)) MakeDirectory(clone, 0700);
  // What an interrupted one has left, its tablespaces, too.
  for (const Outside& outside : OutsideOf(clone)) {
    if (!IsDirectory(outside.target)) continue;
    for (const std::string& name : ListDirectory(outside.target)) RemoveTree(outside.target + "/" + name);
  }
  for (const std::string& name : ListDirectory(clone)) RemoveTree(clone + "/" + name);
  try {
    MakeSlot(*peer_.Open(), place_.Slot());
  } catch (const core::Stop&) {
    throw;
  } catch (const core::Error& error) {
    log_.Words(error.what());
    return false;
  }
  return CopyCluster(clone, place_.Upstream(), place_.Slot(), waiter_, log_);
}

void NodeData::TakeOverClone() {
  const std::string clone = place_.Clone();
  for (const std::string name : kOfTheVolume) RemoveTree(clone + "/" + name);
  UseOwnUpstream(clone);
  MarkStandby(clone);
  Rename(clone, place_.data);
}

void NodeData::Clone() {
  log_.Say("cloning " + place_.peer);
  for (;;) {
    peer_.WaitForUpstream();
    if (CloneOnce()) break;
    log_.Say("the clone did not finish: trying again");
    Pause(waiter_);
  }
  TakeOverClone();
  log_.Say("cloned: " + core::FormatBytes(TreeSize(place_.data)));
}

void NodeData::Rejoin() {
  const core::ControlData upstream = peer_.WaitForUpstream();
  RequireSameSystem(upstream);
  const core::ControlData own = ReadControlData(place_.data, waiter_);
  log_.Say("an older primary (timeline " + std::to_string(own.timeline) + "): rewinding it to " + place_.peer +
           " (timeline " + std::to_string(upstream.timeline) + ")");
  MakeSlot(*peer_.Open(), place_.Slot());  // slots do not follow a promotion
  if (RewindCluster(place_.data, peer_.Superuser(), place_.config, waiter_, log_)) {
    DropOwnSlots(place_.data);
    UseOwnUpstream(place_.data);
    MarkStandby(place_.data);
  } else {
    SetAside("pg_rewind could not make this data directory a standby (above)");
    Clone();
  }
  RemoveMark(place_.Rejoin());
}

void NodeData::CheckStandby() {
  RemoveMark(place_.Rejoin());
  UseOwnUpstream(place_.data);
  auto upstream = peer_.Upstream();
  for (int tries = 1; !upstream && tries < kTries; ++tries) {
    Pause(waiter_);
    upstream = peer_.Upstream();
  }
  if (!upstream) {
    log_.Say(peer_.WhyWaiting());
    return;
  }
  RequireSameSystem(*upstream);
  SlotState state = SlotState::kKept;
  try {
    const std::unique_ptr<Connection> session = peer_.Open();
    state = StateOfSlot(*session, place_.Slot());
    if (state == SlotState::kMissing) MakeSlot(*session, place_.Slot());
  } catch (const core::Stop&) {
    throw;
  } catch (const core::Error& error) {
    log_.Say("warning: " + place_.peer + " cannot be asked for this node's slot: " + error.what());
  }
  if (state != SlotState::kLost) return;
  SetAside(place_.peer + " no longer has the WAL this standby needs");
  Clone();
}

}  // namespace mfi::os
