#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <deque>
#include <utility>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "os/base/directory.h"
#include "os/base/file.h"

// What is done to whole trees. Each step goes from an open directory to a direct entry of it, and no entry is followed
// when it is a link: a name that somebody swaps meanwhile leads nowhere else.
namespace mfi::os {
namespace {

constexpr int kDeepest = 64;  // our own trees have three levels
constexpr std::size_t kLongestShown = 1000;

[[noreturn]] void TooDeep(const std::string& shown) {
  throw core::Error(core::sqlstate::kIoError, "\"" + core::Printable(shown) + "\" is nested deeper than " +
                                                  std::to_string(kDeepest) + " directories");
}

constexpr unsigned kUsable = S_IRWXU;

/// Makes a directory that belongs to this process's user usable for it, whatever mode it has. False when nothing was
/// to be done, or nothing could be.
bool MakeUsable(int directory, const std::string& name) {
  const UniqueFd fd(openat(directory, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  if (!fd.valid() || fstat(fd.get(), &status) != 0 || status.st_uid != geteuid()) return false;
  if ((status.st_mode & kUsable) == kUsable) return false;
  // fchmod takes no such descriptor; this name of it leads to the directory itself.
  return chmod(("/proc/self/fd/" + std::to_string(fd.get())).c_str(), kUsable) == 0;
}

/// Opens a directory to remove what is in it. One of our own that its mode closes to us is opened all the same: the
/// code of others may have made it.
UniqueFd OpenToEmpty(int directory, const std::string& name, const std::string& shown) {
  MakeUsable(directory, name);
  UniqueFd fd(openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) ThrowErrno(errno, "open the directory", shown);
  return fd;
}

/// Calls `file(directory, name, status, shown)` for each entry at or below `name` that is no directory, and
/// `closed(fd, shown)` for each directory when all below it is done.
template <typename File, typename Closed>
void Walk(int directory, const std::string& name, const std::string& shown, int depth, const File& file,
          const Closed& closed) {
  struct stat status {};
  if (fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    ThrowErrno(errno, "read the status of", shown);
  }
  if (!S_ISDIR(status.st_mode)) {
    file(directory, name, status, shown);
    return;
  }
  if (depth > kDeepest) TooDeep(shown);
  const UniqueFd fd(openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) ThrowErrno(errno, "open the directory", shown);
  for (const std::string& child : NamesIn(fd.get(), shown)) {
    std::string child_shown = shown;
    child_shown.append("/").append(child);
    Walk(fd.get(), child, child_shown, depth + 1, file, closed);
  }
  closed(fd.get(), shown);
}

/// The same for the regular files at or below `path`: `file(directory, name, shown)`.
template <typename File, typename Closed>
void WalkFiles(const std::string& path, const File& file, const Closed& closed) {
  const auto regular = [&](int directory, const std::string& name, const struct stat& status,
                           const std::string& shown) {
    if (S_ISREG(status.st_mode)) file(directory, name, shown);
  };
  Walk(AT_FDCWD, path, path, 0, regular, closed);
}

/// The regular files of a tree that others may be changing: when one goes away meanwhile, the rest is left out.
template <typename File>
void WalkChangingFiles(const std::string& path, const File& file) {
  try {
    WalkFiles(path, file, [](int, const std::string&) {});
  } catch (const core::Error& error) {
    if (error.sqlstate() != core::sqlstate::kUndefinedFile) throw;
  }
}

/// Removes one directory with all below it, however deep, with two open at a time: what a directory below the top
/// holds is moved up into the top before that directory goes. A mount point below it ends in an error.
class Removal {
 public:
  Removal(UniqueFd top, std::string shown) : top_(std::move(top)), shown_(std::move(shown)) {}

  void Run() {
    for (const std::string& name : NamesIn(top_.get(), shown_)) waiting_.push_back({name, shown_ + "/" + name});
    while (!waiting_.empty()) {
      const Entry entry = std::move(waiting_.front());
      waiting_.pop_front();
      if (Gone(top_.get(), entry)) continue;
      Empty(entry);
      if (unlinkat(top_.get(), entry.name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) {
        ThrowErrno(errno, "remove", entry.shown);
      }
    }
  }

  struct Entry {
    std::string name;
    std::string shown;
  };

  /// Removes a file, a link or an empty directory; false when it is a directory that holds something.
  static bool Gone(int directory, const Entry& entry) {
    if (unlinkat(directory, entry.name.c_str(), 0) == 0 || errno == ENOENT) return true;
    const int as_file = errno;
    if (unlinkat(directory, entry.name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return true;
    if (errno == ENOTEMPTY || errno == EEXIST) return false;
    ThrowErrno(errno == ENOTDIR ? as_file : errno, "remove", entry.shown);
  }

 private:
  void Empty(const Entry& entry) {
    const UniqueFd fd = OpenToEmpty(top_.get(), entry.name, entry.shown);
    for (const std::string& name : NamesIn(fd.get(), entry.shown)) {
      const Entry child{name, Shorten(entry.shown + "/" + name)};
      if (!Gone(fd.get(), child)) MoveUp(fd.get(), child);
    }
  }

  void MoveUp(int from, const Entry& child) {
    for (;;) {
      Entry moved{".removed-" + std::to_string(++moved_), child.shown};
      if (renameat(from, child.name.c_str(), top_.get(), moved.name.c_str()) == 0) {
        waiting_.push_front(std::move(moved));
        return;
      }
      if (errno == ENOENT) return;
      // A directory that moves changes too.
      if (errno == EACCES && MakeUsable(from, child.name)) continue;
      if (errno != EEXIST && errno != ENOTEMPTY && errno != ENOTDIR) ThrowErrno(errno, "remove", child.shown);
    }
  }

  static std::string Shorten(std::string shown) {
    if (shown.size() > kLongestShown) shown.replace(kLongestShown / 2, shown.size() - kLongestShown, "...");
    return shown;
  }

  UniqueFd top_;
  std::string shown_;
  std::deque<Entry> waiting_;
  std::uint64_t moved_ = 0;
};

}  // namespace

std::int64_t TreeSize(const std::string& path) {
  std::int64_t total = 0;
  WalkChangingFiles(path, [&](int directory, const std::string& name, const std::string&) {
    struct stat status {};
    if (fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) total += status.st_size;
  });
  return total;
}

void BeginWriteback(const std::string& path) {
  WalkChangingFiles(path, [](int directory, const std::string& name, const std::string& shown) {
    const UniqueFd fd = OpenRegular(directory, name, shown);
    sync_file_range(fd.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
  });
}

void FsyncTree(const std::string& path) {
  const auto file = [](int directory, const std::string& name, const std::string& shown) {
    const UniqueFd fd = OpenRegular(directory, name, shown);
    if (fsync(fd.get()) != 0) ThrowErrno(errno, "fsync", shown);
  };
  WalkFiles(path, file, [](int fd, const std::string& shown) {
    // Some file systems cannot fsync a directory and say EINVAL: nothing more can be done there.
    if (fsync(fd) != 0 && errno != EINVAL) ThrowErrno(errno, "fsync the directory", shown);
  });
}

void ChangeModes(const std::string& path, unsigned file_mode, unsigned directory_mode) {
  const auto file = [&](int directory, const std::string& name, const std::string& shown) {
    const UniqueFd fd = OpenRegular(directory, name, shown);
    struct stat status {};
    if (fstat(fd.get(), &status) != 0) ThrowErrno(errno, "read the status of", shown);
    if (status.st_nlink > 1) {
      throw core::Error(core::sqlstate::kIoError,
                        "\"" + core::Printable(shown) + "\" has a second name elsewhere: its mode is not ours");
    }
    if (fchmod(fd.get(), file_mode) != 0) ThrowErrno(errno, "set the mode of", shown);
  };
  WalkFiles(path, file, [&](int fd, const std::string& shown) {
    if (fchmod(fd, directory_mode) != 0) ThrowErrno(errno, "set the mode of", shown);
  });
}

void RemoveTree(const std::string& path) {
  if (Removal::Gone(AT_FDCWD, {path, path})) return;
  Removal(OpenToEmpty(AT_FDCWD, path, path), path).Run();
  if (rmdir(path.c_str()) != 0 && errno != ENOENT) ThrowErrno(errno, "remove", path);
}

std::vector<TreeEntry> ListTree(const Directory& top) {
  std::vector<TreeEntry> entries;
  const auto file = [&](int, const std::string&, const struct stat& status, const std::string& shown) {
    entries.push_back({shown.substr(2), status});  // without "./"
  };
  Walk(top.fd(), ".", ".", 0, file, [](int, const std::string&) {});
  return entries;
}

}  // namespace mfi::os
