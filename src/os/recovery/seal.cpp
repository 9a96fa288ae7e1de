#include "os/recovery/seal.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "os/base/file.h"
#include "os/recovery/wal_reader.h"

namespace mfi::os {
namespace {

// lz4's frame: a magic number, flags, a descriptor of blocks, a byte of XXH32 over these two; blocks; four zero bytes;
// the XXH32 of the content when the flags say so.
constexpr off_t kFlagsAt = 4;
constexpr unsigned char kVersionMask = 0xC0;
constexpr unsigned char kVersion = 0x40;
constexpr unsigned char kContentChecksum = 0x04;
constexpr unsigned char kLongerHeader = 0x09;  // with the content's size, or a dictionary's number

class Checksum {
 public:
  Checksum() { XXH32_reset(&state_, 0); }
  void Add(std::string_view piece) { XXH32_update(&state_, piece.data(), piece.size()); }
  std::array<unsigned char, 4> LittleEndian() const {
    const std::uint32_t hash = XXH32_digest(&state_);
    return {static_cast<unsigned char>(hash), static_cast<unsigned char>(hash >> 8U),
            static_cast<unsigned char>(hash >> 16U), static_cast<unsigned char>(hash >> 24U)};
  }

 private:
  XXH32_state_t state_{};
};

template <std::size_t size>
void WriteAt(const UniqueFd& fd, off_t at, const std::array<unsigned char, size>& bytes, const std::string& path) {
  const ssize_t written = pwrite(fd.get(), bytes.data(), size, at);
  if (written != static_cast<ssize_t>(size)) ThrowErrno(written < 0 ? errno : ENOSPC, "write", path);
}

void Sync(const UniqueFd& fd, const std::string& path) {
  if (fsync(fd.get()) != 0) ThrowErrno(errno, "fsync", path);
}

}  // namespace

bool SealSegment(const std::string& path, std::int64_t segment_bytes, Waiter& waiter) {
  const UniqueFd fd(open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd.valid()) ThrowErrno(errno, "open", path);
  Checksum checksum;
  const WalReading reading =
      ReadWal(fd.get(), path, true, segment_bytes, waiter, [&](std::string_view piece) { checksum.Add(piece); });
  if (!reading.whole || reading.bytes != segment_bytes) return false;
  std::array<unsigned char, 2> descriptor{};
  if (pread(fd.get(), descriptor.data(), descriptor.size(), kFlagsAt) != 2) ThrowErrno(errno, "read", path);
  const unsigned char flags = descriptor[0];
  if ((flags & kVersionMask) != kVersion || (flags & (kContentChecksum | kLongerHeader)) != 0) return true;
  // What lies behind the frame's end counts for nothing until the flags say that it does.
  WriteAt(fd, reading.stored, checksum.LittleEndian(), path);
  if (ftruncate(fd.get(), reading.stored + 4) != 0) ThrowErrno(errno, "write", path);
  Sync(fd, path);
  descriptor[0] = flags | kContentChecksum;
  const auto header_check = static_cast<unsigned char>(XXH32(descriptor.data(), descriptor.size(), 0) >> 8U);
  WriteAt(fd, kFlagsAt, std::array<unsigned char, 3>{descriptor[0], descriptor[1], header_check}, path);
  Sync(fd, path);
  return true;
}

}  // namespace mfi::os
