#include "os/recovery/wal_feeder.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "core/base/error.h"
#include "core/recovery/tablespace_record.h"
#include "core/recovery/wal_page.h"
#include "os/base/directory.h"
#include "os/recovery/wal_fetch.h"

namespace mfi::os {
namespace {

using core::Lsn;
using core::Segment;

constexpr Lsn kAhead = Lsn{256} * 1024 * 1024;
constexpr Lsn kFurthest = kAhead + Lsn{1024} * 1024 * 1024;  // no record is longer than 1 GB

/// Fills a file with zeros from `at` to its end.
void ClearFrom(const std::string& path, std::int64_t at, std::int64_t size) {
  const UniqueFd file(open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.valid() || ftruncate(file.get(), at) != 0 || ftruncate(file.get(), size) != 0) {
    ThrowErrno(errno, "shorten", path);
  }
}

void RewriteTablespaces(const std::string& path, std::int64_t size) {
  const UniqueFd file(open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!file.valid()) ThrowErrno(errno, "open", path);
  const auto length = static_cast<std::size_t>(size);
  void* bytes = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (bytes == MAP_FAILED) ThrowErrno(errno, "map", path);
  core::KeepTablespacesInside({static_cast<char*>(bytes), length});
  munmap(bytes, length);
}

}  // namespace

WalFeeder::WalFeeder(const RecoveryStore& store, core::History history, const core::BaseRecord& base,
                     std::string data_directory)
    : store_(store),
      history_(std::move(history)),
      segment_bytes_(base.segment_bytes),
      system_identifier_(base.system_identifier),
      base_end_(base.end),
      data_directory_(std::move(data_directory)),
      ahead_(kAhead),
      laid_out_(base.start - base.start % static_cast<Lsn>(base.segment_bytes)) {}

void WalFeeder::LayOutHistory() const {
  if (history_.timeline == 1) return;
  WriteFileAtomically(data_directory_ + "/pg_wal/" + core::HistoryName(history_.timeline),
                      core::FormatHistory(history_), 0600);
}

void WalFeeder::LetReach(Lsn until) {
  const auto segment = static_cast<Lsn>(segment_bytes_);
  until_ = std::max(until_, until);
  // The last segment may have been laid out in part.
  if (laid_out_ % segment != 0) laid_out_ -= laid_out_ % segment;
}

bool WalFeeder::Feed(Lsn replayed, Waiter& waiter) {
  const auto segment = static_cast<Lsn>(segment_bytes_);
  while (laid_out_ < until_) {
    if (laid_out_ > std::max(replayed, base_end_) + ahead_) return false;
    LayOut(laid_out_ / segment, waiter);
    laid_out_ = std::min(until_, (laid_out_ / segment + 1) * segment);
  }
  return true;
}

bool WalFeeder::GoFurther() {
  const bool further = ahead_ < kFurthest;
  ahead_ = kFurthest;
  return further;
}

void WalFeeder::LayOut(std::uint64_t number, Waiter& waiter) {
  const Segment segment = core::SegmentOf(history_, number, segment_bytes_);
  const std::string name = core::SegmentName(segment, segment_bytes_);
  const std::string next = data_directory_ + "/pg_wal/mfi.next";
  if (!FetchSegment(store_, segment, segment_bytes_, next, waiter).found) {
    throw core::Error(core::sqlstate::kUndefinedFile, "segment " + name + " is not in \"" + store_.WalPath() + "\"", {},
                      "mfi recover --list shows what can be reached; a new full base begins a new chain: SELECT "
                      "mfi_recovery_base_now(true).");
  }
  CheckHeader(next, segment);
  const Lsn begin = core::BeginOf(segment, segment_bytes_);
  const Lsn end = begin + static_cast<Lsn>(segment_bytes_);
  if (until_ < end) ClearFrom(next, static_cast<std::int64_t>(until_ - begin), segment_bytes_);
  RewriteTablespaces(next, segment_bytes_);
  Rename(next, data_directory_ + "/pg_wal/" + name);
}

/// A server waits for ever where another segment lies.
void WalFeeder::CheckHeader(const std::string& path, const Segment& segment) const {
  std::array<char, core::kSegmentHeaderBytes> begin{};
  const UniqueFd file = OpenRegular(AT_FDCWD, path, path);
  const ssize_t got = pread(file.get(), begin.data(), begin.size(), 0);
  if (got < 0) ThrowErrno(errno, "read", path);
  const std::string why =
      core::WhyNotSegment({begin.data(), static_cast<std::size_t>(got)}, segment, segment_bytes_, system_identifier_);
  if (why.empty()) return;
  throw core::Error(core::sqlstate::kDataCorrupted,
                    "what \"" + store_.WalPath() + "\" has as segment " + core::SegmentName(segment, segment_bytes_) +
                        " is another one",
                    why, "A new full base begins a new chain: SELECT mfi_recovery_base_now(true).");
}

}  // namespace mfi::os
