#include "os/recovery/aside.h"

#include <fcntl.h>

#include <set>
#include <string_view>

#include "core/base/error.h"
#include "core/recovery/wal_line.h"
#include "os/base/directory.h"
#include "os/recovery/wal_reader.h"

namespace mfi::os {
namespace {

constexpr std::string_view kPartial = ".partial";
constexpr std::string_view kLeft = ".left";

std::string NameIn(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string FreeName(const RecoveryStore& store, const std::string& name) {
  std::string free = name;
  for (int i = 1; Exists(store.AsidePath() + "/" + free); ++i) free = name + "." + std::to_string(i);
  return free;
}

void Move(const RecoveryStore& store, const std::string& path, const std::string& name) {
  Rename(path, store.AsidePath() + "/" + FreeName(store, name));
  FsyncDirectory(path.substr(0, path.rfind('/')));
}

std::int64_t BytesOf(const std::string& path, bool compressed, std::int64_t segment_bytes, Waiter& waiter) {
  return ReceivedBytes(OpenRegular(AT_FDCWD, path, path).get(), path, compressed, segment_bytes, waiter);
}

bool IsCompressed(const std::string& name) { return WithoutNumber(name).ends_with(".lz4.partial"); }

}  // namespace

std::string_view WithoutNumber(std::string_view name) {
  const std::size_t digits = name.find_last_not_of("0123456789") + 1;
  return digits > 1 && digits < name.size() && name[digits - 1] == '.' ? name.substr(0, digits - 1) : name;
}

std::vector<std::string> InterruptedOf(const RecoveryStore& store, const std::string& segment_name) {
  std::vector<std::string> names;
  if (!IsDirectory(store.AsidePath())) return names;
  for (const std::string& name : ListDirectory(store.AsidePath())) {
    const std::string_view base = WithoutNumber(name);
    if (name.starts_with(segment_name + ".") && base.ends_with(kPartial)) names.push_back(name);
  }
  return names;
}

std::int64_t ReceivedBytes(int fd, const std::string& shown, bool compressed, std::int64_t segment_bytes,
                           Waiter& waiter) {
  std::int64_t given = 0;
  std::int64_t to_last = 0;
  ReadWal(fd, shown, compressed, segment_bytes, waiter, [&](std::string_view piece) {
    const std::size_t last = piece.find_last_not_of('\0');
    if (last != std::string_view::npos) to_last = given + static_cast<std::int64_t>(last) + 1;
    given += static_cast<std::int64_t>(piece.size());
  });
  return compressed ? given : to_last;
}

void SetInterruptedAside(const RecoveryStore& store, const core::WalFile& file, std::int64_t segment_bytes,
                         Waiter& waiter) {
  const std::string path = store.path() + "/" + file.name;
  const std::int64_t bytes = BytesOf(path, file.compressed, segment_bytes, waiter);
  bool has_most = bytes > 0;
  for (const std::string& name : InterruptedOf(store, core::SegmentName(file.segment, segment_bytes))) {
    const std::string other = store.AsidePath() + "/" + name;
    has_most = has_most && bytes > BytesOf(other, IsCompressed(name), segment_bytes, waiter);
  }
  if (has_most) {
    Move(store, path, NameIn(path));
  } else {
    RemoveTree(path);
  }
}

void SetLeftAside(const RecoveryStore& store, const std::string& path) {
  Move(store, path, std::string(WithoutNumber(NameIn(path))).append(kLeft));
}

void RemoveOutdated(const RecoveryStore& store, const core::History& history, std::int64_t segment_bytes) {
  std::set<std::uint64_t> whole;
  for (const core::WalFile& file : store.Wal(segment_bytes)) {
    if (file.kind == core::WalFileKind::kWhole && core::BelongsTo(history, file.segment, segment_bytes)) {
      whole.insert(file.segment.number);
    }
  }
  for (const std::string& name : ListDirectory(store.AsidePath())) {
    const auto file = core::ParseWalFile(WithoutNumber(name), segment_bytes);
    if (file && file->kind == core::WalFileKind::kPartial && whole.contains(file->segment.number)) {
      RemoveTree(store.AsidePath() + "/" + name);
    }
  }
}

}  // namespace mfi::os
