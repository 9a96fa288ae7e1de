#include "os/recovery/recovery_store.h"

#include <fcntl.h>

#include <algorithm>
#include <tuple>

#include "core/base/error.h"
#include "core/base/names.h"
#include "os/base/configured_directory.h"
#include "os/base/directory.h"
#include "os/base/directory_owner.h"
#include "os/recovery/aside.h"
#include "os/recovery/wal_reader.h"

namespace mfi::os {
namespace {

using core::Error;
using core::kBaseRecordName;
using core::kStoreIdentityName;

constexpr char kWhat[] = "the recovery directory";
constexpr char kNewPrefix[] = ".new-";
constexpr char kRemovePrefix[] = ".remove-";
constexpr std::int64_t kMaxIdentityBytes = 64 * 1024;
constexpr std::int64_t kMaxHistoryBytes = 1024 * 1024;

bool IsOfSameCluster(const core::StoreIdentity& a, const core::StoreIdentity& b) {
  return a.system_identifier == b.system_identifier && a.server_major == b.server_major &&
         a.segment_bytes == b.segment_bytes;
}

std::string FreePath(const std::string& path) {
  std::string free = path;
  for (int i = 2; Exists(free); ++i) free = path + "." + std::to_string(i);
  return free;
}

/// Others who prepare the store may make it at the same moment.
void MakeWhenAbsent(const std::string& path) {
  if (IsDirectory(path)) return;
  try {
    MakeDirectory(path, 0700);
  } catch (const Error&) {
    if (!IsDirectory(path)) throw;
  }
}

bool HoldsFiles(const std::string& path) { return IsDirectory(path) && !ListDirectory(path).empty(); }

/// The base in the directory `id`; nullopt when that is none.
std::optional<core::BaseRecord> TryBase(const Directory& bases, const std::string& id) {
  try {
    core::BaseRecord record = core::ParseBaseRecord(bases.Below(id).Read(kBaseRecordName, core::kMaxBaseRecordBytes));
    if (record.id == id) return record;
  } catch (const Error&) {
    return std::nullopt;
  }
  return std::nullopt;
}

std::string TextOf(const core::BaseRecord& record) {
  std::string text = core::ToJson(record);
  if (static_cast<std::int64_t>(text.size()) > core::kMaxBaseRecordBytes) {
    throw Error(core::sqlstate::kProgramLimitExceeded, "the record of base \"" + record.id + "\" is too large");
  }
  return text;
}

/// A history is read at once.
class NoWait : public Waiter {
 public:
  void Wait(int, bool, std::chrono::milliseconds) override {}
};

std::string TextOf(const std::string& history, bool compressed) {
  std::string text;
  NoWait waiter;
  const WalReading reading = ReadWal(OpenRegular(AT_FDCWD, history, history).get(), history, compressed,
                                     kMaxHistoryBytes, waiter, [&](std::string_view piece) { text += piece; });
  if (!reading.whole || reading.bytes > kMaxHistoryBytes) {
    throw Error(core::sqlstate::kDataCorrupted, "the history \"" + history + "\" cannot be read to its end");
  }
  return text;
}

}  // namespace

RecoveryStore::RecoveryStore(const std::string& directory, const std::string& node)
    : directory_(directory), node_(core::EncodeFileName(node)) {
  while (directory_.size() > 1 && directory_.back() == '/') directory_.pop_back();
  path_ = directory_ + "/" + node_;
}

void RecoveryStore::CheckUsable(const std::string& data_directory) const {
  CheckConfigured({.path = directory_,
                   .setting = "mfi.recovery_directory",
                   .what = kWhat,
                   .off = "recovery to a point in time is off",
                   .lost = "What recovery needs would be lost together with the data."},
                  data_directory);
  const Directory top = Directory::OpenConfigured(directory_);
  if (top.Status(node_)) CheckOwned(top.Below(node_), kWhat, 0700);
}

void RecoveryStore::Prepare(const core::StoreIdentity& own) const {
  const auto found = Identity();
  if (found && !IsOfSameCluster(*found, own)) PutAside(*found);
  MakeWhenAbsent(path_);
  const bool known = Identity().has_value();
  for (const std::string& path : {WalPath(), ReceivingPath(), AsidePath(), BasesPath(), DrillsPath()}) {
    if (!known && HoldsFiles(path)) {
      throw Error(core::sqlstate::kObjectNotInPrerequisiteState,
                  "\"" + path_ + "\" has no " + kStoreIdentityName + ", so that it cannot be told whose it is", {},
                  "Move that directory away; a new one is made then.");
    }
    MakeWhenAbsent(path);
  }
  if (!known) WriteFileAtomically(path_ + "/" + kStoreIdentityName, core::ToJson(own), 0600);
  FsyncDirectory(directory_);
}

void RecoveryStore::PutAside(const core::StoreIdentity& found) const {
  const FileLock receiver = LockForReceiver();
  const FileLock run = LockForRun();
  if (!receiver.held() || !run.held()) {
    throw Error(core::sqlstate::kObjectNotInPrerequisiteState,
                "\"" + path_ + "\" is in use by another cluster, with the system identifier " + found.system_identifier,
                {}, "Give each cluster a recovery directory of its own.");
  }
  Rename(path_, FreePath(path_ + "." + found.system_identifier));
}

std::optional<core::StoreIdentity> RecoveryStore::Identity() const {
  const std::string path = path_ + "/" + kStoreIdentityName;
  if (!Exists(path)) return std::nullopt;
  return core::ParseStoreIdentity(ReadFile(path, kMaxIdentityBytes));
}

std::vector<core::WalFile> RecoveryStore::Wal(std::int64_t segment_bytes) const {
  std::vector<core::WalFile> files;
  // In the order in which a segment goes: one that is moved meanwhile is not missed.
  for (const std::string& path : {ReceivingPath(), AsidePath(), WalPath()}) {
    if (!IsDirectory(path)) continue;
    for (const std::string& name : ListDirectory(path)) {
      if (auto file = core::ParseWalFile(path == AsidePath() ? WithoutNumber(name) : name, segment_bytes))
        files.push_back(std::move(*file));
    }
  }
  std::sort(files.begin(), files.end(), [](const core::WalFile& a, const core::WalFile& b) {
    return std::tie(a.segment.number, a.segment.timeline, a.name) <
           std::tie(b.segment.number, b.segment.timeline, b.name);
  });
  files.erase(std::unique(files.begin(), files.end()), files.end());
  return files;
}

core::History RecoveryStore::HistoryOf(std::uint32_t timeline, std::int64_t segment_bytes) const {
  if (timeline == 1) return {};
  for (const core::WalFile& file : Wal(segment_bytes)) {
    if (file.kind != core::WalFileKind::kHistory || file.segment.timeline != timeline) continue;
    for (const std::string& path : {ReceivingPath() + "/" + file.name, WalPath() + "/" + file.name}) {
      if (Exists(path)) return core::ParseHistory(timeline, TextOf(path, file.compressed));
    }
  }
  throw Error(core::sqlstate::kUndefinedFile,
              "the history of timeline " + std::to_string(timeline) + " is not in \"" + WalPath() + "\"");
}

std::vector<core::BaseRecord> RecoveryStore::Bases() const {
  std::vector<core::BaseRecord> bases;
  if (!IsDirectory(BasesPath())) return bases;
  const Directory directory = Directory::Open(BasesPath());
  const std::optional<core::StoreIdentity> own = Identity();
  for (const std::string& name : directory.Names()) {
    if (!core::IsBaseId(name)) continue;
    auto base = TryBase(directory, name);
    if (!base || (own && base->system_identifier != own->system_identifier)) continue;
    bases.push_back(std::move(*base));
  }
  std::stable_sort(bases.begin(), bases.end(),
                   [](const core::BaseRecord& a, const core::BaseRecord& b) { return a.end < b.end; });
  return bases;
}

void RecoveryStore::SaveBase(const core::BaseRecord& record) const {
  Directory::Open(BasePath(record.id)).WriteAtomically(kBaseRecordName, TextOf(record), 0600);
}

void RecoveryStore::PublishBase(const core::BaseRecord& record) const {
  const std::string made = NewBasePath(record.id);
  Directory::Open(made).WriteAtomically(kBaseRecordName, TextOf(record), 0600);
  FsyncTree(made);
  Rename(made, BasePath(record.id));
}

void RecoveryStore::RemoveBase(const std::string& id) const {
  const std::string hidden = BasesPath() + "/" + kRemovePrefix + id;
  RemoveTree(hidden);
  if (!Exists(BasePath(id))) return;
  Rename(BasePath(id), hidden);
  RemoveTree(hidden);
}

void RecoveryStore::RemoveLeftovers() const {
  if (!IsDirectory(BasesPath())) return;
  for (const std::string& name : ListDirectory(BasesPath())) {
    for (const std::string prefix : {kNewPrefix, kRemovePrefix}) {
      if (name.starts_with(prefix) && core::IsBaseId(name.substr(prefix.size()))) {
        RemoveTree(BasesPath() + "/" + name);
      }
    }
  }
}

}  // namespace mfi::os
