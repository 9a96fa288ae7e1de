#include "os/recovery/wal_fetch.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/timestamp.h"
#include "os/base/directory.h"
#include "os/recovery/aside.h"
#include "os/recovery/wal_reader.h"

namespace mfi::os {
namespace {

using core::Error;

struct Found {
  std::string path;
  bool compressed = false;
};

/// Invalid when there is none.
UniqueFd TryOpen(const std::string& path) {
  try {
    return OpenRegular(AT_FDCWD, path, path);
  } catch (const Error& error) {
    if (error.sqlstate() != core::sqlstate::kUndefinedFile) throw;
  }
  return {};
}

/// In the order in which a segment goes, so that one that is moved meanwhile is found.
std::vector<Found> Places(const RecoveryStore& store, const std::string& name) {
  std::vector<Found> places;
  for (const std::string& directory : {store.ReceivingPath(), store.WalPath()}) {
    places.push_back({directory + "/" + name + ".lz4", true});
    places.push_back({directory + "/" + name, false});
  }
  return places;
}

std::vector<Found> PartialPlaces(const RecoveryStore& store, const std::string& name) {
  std::vector<Found> places;
  for (const Found& whole : Places(store, name)) places.push_back({whole.path + ".partial", whole.compressed});
  for (const std::string& aside : InterruptedOf(store, name)) {
    places.push_back({store.AsidePath() + "/" + aside, aside.starts_with(name + ".lz4.")});
  }
  return places;
}

/// A file of a segment's size that gets its name by one rename.
class Target {
 public:
  explicit Target(std::string path) : path_(std::move(path)), temporary_(path_ + ".tmp") {
    if (unlink(temporary_.c_str()) != 0 && errno != ENOENT) ThrowErrno(errno, "remove", temporary_);
    fd_ = UniqueFd(open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd_.valid()) ThrowErrno(errno, "create", temporary_);
  }
  ~Target() {
    if (fd_.valid()) unlink(temporary_.c_str());
  }
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  void Write(std::string_view piece) {
    while (!piece.empty()) {
      const ssize_t written = write(fd_.get(), piece.data(), piece.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) ThrowErrno(errno, "write", temporary_);
      piece.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  void Finish(std::int64_t size) {
    if (ftruncate(fd_.get(), size) != 0) ThrowErrno(errno, "write", temporary_);
    Rename(temporary_, path_);
    fd_.Close();
  }

 private:
  std::string path_;
  std::string temporary_;
  UniqueFd fd_;
};

void CheckWhole(const std::string& path, const WalReading& reading, std::int64_t segment_bytes) {
  std::string detail;
  if (reading.bytes > segment_bytes) {
    detail = "It holds more than the " + core::FormatBytes(segment_bytes) + " of a segment.";
  } else if (!reading.whole || reading.bytes < segment_bytes) {
    detail = "It can be read for " + std::to_string(reading.bytes) + " of " + std::to_string(segment_bytes) + " bytes.";
  } else {
    return;
  }
  throw Error(core::sqlstate::kDataCorrupted, "the WAL segment \"" + path + "\" is damaged", detail,
              "Recovery cannot go past it. A new full base makes the time after it reachable.");
}

bool FetchWhole(const RecoveryStore& store, const std::string& name, std::int64_t segment_bytes,
                const std::string& target, Waiter& waiter) {
  for (const Found& place : Places(store, name)) {
    const UniqueFd fd = TryOpen(place.path);
    if (!fd.valid()) continue;
    Target file(target);
    CheckWhole(place.path,
               ReadWal(fd.get(), place.path, place.compressed, segment_bytes, waiter,
                       [&](std::string_view piece) { file.Write(piece); }),
               segment_bytes);
    file.Finish(segment_bytes);
    return true;
  }
  return false;
}

FetchedSegment FetchPartial(const RecoveryStore& store, const std::string& name, std::int64_t segment_bytes,
                            const std::string& target, Waiter& waiter) {
  UniqueFd best;
  Found of_best;
  std::int64_t most = -1;
  for (const Found& place : PartialPlaces(store, name)) {
    UniqueFd fd = TryOpen(place.path);
    if (!fd.valid()) continue;
    const std::int64_t bytes = ReceivedBytes(fd.get(), place.path, place.compressed, segment_bytes, waiter);
    if (bytes <= most) continue;
    best = std::move(fd);
    of_best = place;
    most = bytes;
  }
  if (!best.valid()) return {};
  if (lseek(best.get(), 0, SEEK_SET) != 0) ThrowErrno(errno, "read", of_best.path);
  Target file(target);
  // It may have grown since it was looked at.
  const WalReading reading = ReadWal(best.get(), of_best.path, of_best.compressed, segment_bytes, waiter,
                                     [&](std::string_view piece) { file.Write(piece); });
  file.Finish(segment_bytes);
  return {true, of_best.compressed ? std::min(reading.bytes, segment_bytes) : most};
}

}  // namespace

FetchedSegment FetchSegment(const RecoveryStore& store, const core::Segment& segment, std::int64_t segment_bytes,
                            const std::string& target, Waiter& waiter) {
  const std::string name = core::SegmentName(segment, segment_bytes);
  if (FetchWhole(store, name, segment_bytes, target, waiter)) return {true, segment_bytes};
  const FetchedSegment partial = FetchPartial(store, name, segment_bytes, target, waiter);
  // One that was finished meanwhile has lost the name by which a partial one is found.
  if (FetchWhole(store, name, segment_bytes, target, waiter)) return {true, segment_bytes};
  return partial;
}

}  // namespace mfi::os
