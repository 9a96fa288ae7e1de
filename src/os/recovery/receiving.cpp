#include "os/recovery/receiving.h"

#include <fcntl.h>

#include <algorithm>
#include <vector>

#include "core/base/error.h"
#include "os/base/directory.h"
#include "os/recovery/aside.h"
#include "os/recovery/seal.h"

namespace mfi::os {
namespace {

using core::WalFile;
using core::WalFileKind;

/// The names are relative to the store.
void AddFilesOf(const RecoveryStore& store, const std::string& directory, std::int64_t segment_bytes,
                std::vector<WalFile>& files) {
  for (const std::string& name : ListDirectory(store.path() + "/" + directory)) {
    auto file = core::ParseWalFile(WithoutNumber(name), segment_bytes);
    if (!file) continue;
    file->name = directory + "/" + name;
    files.push_back(std::move(*file));
  }
}

std::vector<core::StoredWal> Stored(const RecoveryStore& store, std::int64_t segment_bytes, Waiter& waiter) {
  std::vector<WalFile> files;
  for (const char* directory : {"wal", "receiving", "aside"}) AddFilesOf(store, directory, segment_bytes, files);
  std::vector<core::StoredWal> stored;
  for (WalFile& file : files) {
    std::int64_t bytes = 0;
    if (file.kind == WalFileKind::kPartial) {
      const std::string path = store.path() + "/" + file.name;
      bytes = ReceivedBytes(OpenRegular(AT_FDCWD, path, path).get(), path, file.compressed, segment_bytes, waiter);
    }
    stored.push_back({std::move(file), bytes});
  }
  return stored;
}

void PutAside(const RecoveryStore& store, const core::ReceivePlan& plan, std::int64_t segment_bytes, Waiter& waiter) {
  for (const WalFile& file : plan.left) SetLeftAside(store, store.path() + "/" + file.name);
  for (const WalFile& file : plan.interrupted) {
    if (!file.name.starts_with("aside/")) SetInterruptedAside(store, file, segment_bytes, waiter);
  }
}

/// Whatever else lies there is pg_receivewal's temporary file.
void Clear(const RecoveryStore& store) {
  for (const std::string& name : ListDirectory(store.ReceivingPath())) RemoveTree(store.ReceivingPath() + "/" + name);
}

}  // namespace

core::ReceivePlan PrepareReceiving(const RecoveryStore& store, const core::ServerWal& server, Waiter& waiter) {
  TakeFinished(store, server, waiter);
  core::ReceivePlan plan = core::ReceiveFrom(Stored(store, server.segment_bytes, waiter), server);
  if (plan.ahead) return plan;
  PutAside(store, plan, server.segment_bytes, waiter);
  Clear(store);
  RemoveOutdated(store, server.history, server.segment_bytes);
  const std::string begin = core::SegmentName(plan.begin, server.segment_bytes) + ".lz4.partial";
  WriteFileAtomically(store.ReceivingPath() + "/" + begin, "", 0600);
  return plan;
}

std::string TakeFinished(const RecoveryStore& store, const core::ServerWal& server, Waiter& waiter) {
  std::vector<WalFile> files;
  AddFilesOf(store, "receiving", server.segment_bytes, files);
  std::string unreadable;
  bool moved = false;
  for (const WalFile& file : files) {
    if (file.kind == WalFileKind::kPartial) continue;
    const std::string path = store.path() + "/" + file.name;
    const std::string name = path.substr(path.rfind('/') + 1);
    if (file.kind == WalFileKind::kWhole && file.compressed && !SealSegment(path, server.segment_bytes, waiter)) {
      SetLeftAside(store, path);
      unreadable += (unreadable.empty() ? "" : ", ") + name;
      continue;
    }
    Rename(path, store.WalPath() + "/" + name);
    moved = true;
  }
  if (moved) {
    FsyncDirectory(store.ReceivingPath());
    RemoveOutdated(store, server.history, server.segment_bytes);
  }
  return unreadable;
}

}  // namespace mfi::os
