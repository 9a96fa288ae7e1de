#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// Files and directories with durability: what these functions report as written survives a crash of the machine.
// All of them throw core::Error with the path in the message.
namespace mfi::os {

/// Owns a file descriptor.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.Release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { Close(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int Release();
  void Close();

 private:
  int fd_ = -1;
};

/// Error for a failed system call, with errno's SQLSTATE and text: `could not <what> "<path>": <reason>`.
[[noreturn]] void ThrowErrno(int error_number, const std::string& what, const std::string& path);

bool Exists(const std::string& path);
bool IsDirectory(const std::string& path);

/// False, too, when one of them is not there.
bool OnSameDevice(const std::string& a, const std::string& b);
std::int64_t FileSize(const std::string& path);

// The functions on trees, here and below, never follow a link, whatever is swapped while they are at work, and leave
// alone what is neither a file nor a directory. A tree of more than 64 levels is an error to all but RemoveTree.

/// Bytes of all regular files below `path` (a file counts itself); what vanishes meanwhile counts nothing.
std::int64_t TreeSize(const std::string& path);

/// Bytes that can still be written to the file system of `path`.
std::int64_t FreeSpace(const std::string& path);

/// Whole regular file, which may not be a link; refuses more than `limit` bytes.
std::string ReadFile(const std::string& path, std::int64_t limit = std::int64_t{64} * 1024 * 1024);

/// Replaces the file by one rename; file and directory are fsynced.
void WriteFileAtomically(const std::string& path, std::string_view content, unsigned mode);

/// Makes `name` in an open directory (AT_FDCWD: `name` is a path), in place of a file or link that is there, and
/// fsyncs it. `shown` is its name in an error.
void WriteNewFile(int directory, const std::string& name, const std::string& shown, std::string_view content,
                  unsigned mode);

void MakeDirectory(const std::string& path, unsigned mode);
void Rename(const std::string& from, const std::string& to);

/// Replaces (or makes) a symbolic link by one rename.
void ReplaceSymlink(const std::string& path, const std::string& target);

void FsyncFile(const std::string& path);
void FsyncDirectory(const std::string& path);

/// Begins to write the files below `path`, which may still grow, to disk: FsyncTree will have little left to do, and
/// the commits of others will not have to wait for all of it at once. Promises nothing. Absent is fine.
void BeginWriteback(const std::string& path);

/// fsyncs every regular file and directory below `path`, and `path`.
void FsyncTree(const std::string& path);

/// Removes a file, link or directory with all below it, however deep. Absent is fine.
void RemoveTree(const std::string& path);

/// Names in a directory, without `.` and `..`, sorted.
std::vector<std::string> ListDirectory(const std::string& path);

/// Sets the mode of every file and directory below `path`, and of `path`. A file that has a second name is an error.
void ChangeModes(const std::string& path, unsigned file_mode, unsigned directory_mode);

/// An exclusive flock on a file (made when absent), held as long as the object lives.
class FileLock {
 public:
  /// nullopt-like: `held()` is false when another process has it.
  explicit FileLock(const std::string& path);
  bool held() const { return fd_.valid(); }

 private:
  UniqueFd fd_;
};

}  // namespace mfi::os
