#include "os/node/replacement.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <utility>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "os/base/directory_owner.h"
#include "os/base/file.h"
#include "os/node/node_log.h"

namespace mfi::os {
namespace {

constexpr char kWal[] = "pg_wal";
constexpr char kTablespaces[] = "pg_tblspc";
constexpr char kClone[] = ".clone";
constexpr unsigned kMode = 0700;

std::string ParentOf(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

/// Where a link leads, as it is written; empty for what is no link.
std::string LinkTarget(const std::string& path) {
  std::array<char, PATH_MAX> target{};
  const ssize_t length = readlink(path.c_str(), target.data(), target.size());
  return {target.data(), length > 0 ? static_cast<std::size_t>(length) : 0};
}

bool IsMountPoint(const std::string& path) {
  struct statx status {};
  if (statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &status) != 0) return false;
  if ((status.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0) {
    return (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
  }
  struct stat own {};
  struct stat parent {};
  return stat(path.c_str(), &own) == 0 && stat(ParentOf(path).c_str(), &parent) == 0 && own.st_dev != parent.st_dev;
}

bool IsIn(const std::string& path, const std::string& directory) {
  return path.size() > directory.size() && path.starts_with(directory) && path[directory.size()] == '/';
}

bool IsEmpty(const std::string& path) { return IsDirectory(path) && ListDirectory(path).empty(); }

/// An equals sign ends a path in an option of pg_basebackup.
std::string Escaped(const std::string& path) {
  std::string escaped;
  for (const char c : path) escaped += (c == '=' ? "\\" : "") + std::string(1, c);
  return escaped;
}

void MakeParents(const std::string& path) {
  const std::string parent = ParentOf(path);
  if (Exists(parent)) return;
  MakeParents(parent);
  MakeDirectory(parent, kMode);
}

/// Steps that are taken back, the last one first, when a later one cannot be taken.
class Steps {
 public:
  Steps() = default;
  ~Steps() {
    for (; !done_.empty() && !kept_; done_.pop_back()) rename(done_.back().second.c_str(), done_.back().first.c_str());
    for (; !links_.empty() && !kept_; links_.pop_back()) Relink(links_.back().first, links_.back().second);
  }
  Steps(const Steps&) = delete;
  Steps& operator=(const Steps&) = delete;

  void Move(const std::string& from, const std::string& to) {
    Rename(from, to);
    done_.emplace_back(from, to);
  }

  /// Before the directory of the link is moved.
  void Link(const std::string& path, const std::string& target) {
    links_.emplace_back(path, LinkTarget(path));
    ReplaceSymlink(path, target);
  }

  void Keep() { kept_ = true; }

 private:
  static void Relink(const std::string& path, const std::string& target) {
    try {
      ReplaceSymlink(path, target);
    } catch (const core::Error&) {
      return;  // the error that led here is told
    }
  }

  std::vector<std::pair<std::string, std::string>> done_;
  std::vector<std::pair<std::string, std::string>> links_;
  bool kept_ = false;
};

[[noreturn]] void CannotBeSetAside(const std::string& path, const std::string& why) {
  Refuse(
      core::Printable(path) + " cannot be set aside: " + why + "; nothing was changed",
      "Give this user the right to rename it, or move what is in it elsewhere by hand, so that it is empty; then run "
      "this again with --clone.");
}

}  // namespace

std::vector<Outside> OutsideOf(const std::string& data) {
  std::vector<Outside> outside;
  const auto add = [&](const std::string& link) {
    if (std::string target = LinkTarget(data + "/" + link); !target.empty()) outside.push_back({link, target});
  };
  add(kWal);
  const std::string tablespaces = data + "/" + kTablespaces;
  if (!IsDirectory(tablespaces)) return outside;
  for (const std::string& oid : ListDirectory(tablespaces)) add(std::string(kTablespaces) + "/" + oid);
  return outside;
}

std::string WhyNotRenamed(const std::string& path) {
  if (IsMountPoint(path)) return "it is a mount point";
  const std::string parent = ParentOf(path);
  if (access(parent.c_str(), W_OK | X_OK) != 0) return "this user may not write into " + core::Printable(parent);
  struct stat own {};
  struct stat above {};
  if (stat(path.c_str(), &own) == 0 && stat(parent.c_str(), &above) == 0 && (above.st_mode & S_ISVTX) != 0 &&
      geteuid() != 0 && own.st_uid != geteuid() && above.st_uid != geteuid()) {
    return "it is another user's";
  }
  return {};
}

void SetDataAside(const std::string& data, const std::string& aside, const std::string& suffix) {
  std::vector<std::pair<std::string, std::string>> places;  // each without links, and the link that leads there
  for (const Outside& one : OutsideOf(data)) {
    const std::string place = RealPath(one.target);
    if (IsDirectory(place) && !IsIn(place, data)) places.emplace_back(place, data + "/" + one.link);
  }
  std::sort(places.begin(), places.end());  // an outer one before those in it
  std::vector<std::string> outer;
  for (const auto& one : places) {
    const std::string& place = one.first;
    if (std::any_of(outer.begin(), outer.end(), [&](const std::string& path) { return IsIn(place, path); })) continue;
    outer.push_back(place);
    if (const std::string why = WhyNotRenamed(place); !why.empty()) CannotBeSetAside(place, why);
  }
  Steps steps;
  for (const auto& place : places) {
    std::string now = place.first;
    for (const std::string& moved : outer) {
      if (now == moved || IsIn(now, moved)) now.insert(moved.size(), suffix);
    }
    steps.Link(place.second, now);
  }
  for (const std::string& place : outer) steps.Move(place, place + suffix);
  steps.Move(data, aside);
  steps.Keep();
}

Replacement::Replacement(const std::string& data, const std::vector<Tablespace>& tablespaces,
                         const std::string& suffix) {
  const std::vector<Outside> own = OutsideOf(data);
  const auto target_of = [&](const std::string& link) -> std::string {
    const auto found = std::find_if(own.begin(), own.end(), [&](const Outside& one) { return one.link == link; });
    return found == own.end() ? "" : found->target;
  };
  Add({"", "", data, "", data + suffix});
  if (const std::string wal = target_of(kWal); !wal.empty()) {
    Add({kWal, wal, RealPath(wal), "", RealPath(wal) + suffix});
  }
  for (const Tablespace& tablespace : tablespaces) {
    const std::string link = std::string(kTablespaces) + "/" + tablespace.oid;
    const std::string here = target_of(link);
    const std::string target = here.empty() ? tablespace.location : here;
    const std::string place = RealPath(target);
    if (here.empty() && Exists(place) && !IsEmpty(place)) {
      Refuse(core::Printable(place) +
                 " is not empty, and a tablespace of the other node is to be there; nothing was "
                 "changed",
             "Find out whose it is, and move it elsewhere.");
    }
    Add({link, target, place, "", place + suffix});
  }
  Place();
  Check();
  for (const Part& part : parts_) {
    if (part.link == kWal) options_.push_back("--waldir=" + part.clone);
  }
  for (const Tablespace& tablespace : tablespaces) {
    const std::string link = std::string(kTablespaces) + "/" + tablespace.oid;
    const auto part = std::find_if(parts_.begin(), parts_.end(), [&](const Part& one) { return one.link == link; });
    if (part == parts_.end() || part->clone == tablespace.location) continue;
    options_.push_back("--tablespace-mapping=" + Escaped(tablespace.location) + "=" + Escaped(part->clone));
  }
}

void Replacement::Add(Part part) {
  part.exists = Exists(part.place);
  part.in_place = !part.link.empty() && part.exists && IsEmpty(part.place);
  parts_.push_back(std::move(part));
}

/// Each clone is beside what it replaces; of what lies in another one, beside that.
void Replacement::Place() {
  for (Part& part : parts_) {
    const Part* outer = nullptr;
    for (const Part& other : parts_) {
      if (IsIn(part.place, other.place) && (outer == nullptr || other.place.size() < outer->place.size())) {
        outer = &other;
      }
    }
    if (outer == nullptr || outer->in_place) {
      part.clone = part.in_place ? part.place : part.place + kClone;
      continue;
    }
    part.nested = true;
    part.in_place = false;
    part.aside = outer->aside + part.place.substr(outer->place.size());
    std::string name = part.link.empty() ? "data" : part.link;
    std::replace(name.begin(), name.end(), '/', '.');
    part.clone = outer->place + kClone + "." + name;
  }
}

void Replacement::Check() const {
  for (const Part& part : parts_) {
    if (part.in_place) continue;
    if (Exists(part.clone)) {
      Refuse(core::Printable(part.clone) + " is in the way; nothing was changed",
             "It is what an interrupted clone left: remove it.");
    }
    if (Exists(part.aside) && !part.nested) {
      Refuse(core::Printable(part.aside) + " is in the way; nothing was changed", "Move it elsewhere.");
    }
    const std::string why = part.exists ? WhyNotRenamed(part.place) : "";
    if (!why.empty()) CannotBeSetAside(part.place, why);
  }
}

void Replacement::TakeOver() {
  Steps steps;
  for (const Part& part : parts_) {
    if (part.link.empty()) continue;
    ReplaceSymlink(clone() + "/" + part.link, part.target);
    if (part.exists && !part.in_place && !LinkTarget(parts_.front().place + "/" + part.link).empty()) {
      steps.Link(parts_.front().place + "/" + part.link, part.aside);
    }
  }
  for (const Part& part : parts_) {
    if (part.exists && !part.nested && !part.in_place && !part.link.empty()) steps.Move(part.place, part.aside);
  }
  const Part& data = parts_.front();
  if (!data.nested) steps.Move(data.place, data.aside);
  std::vector<Part> inwards = parts_;
  std::sort(inwards.begin(), inwards.end(),
            [](const Part& a, const Part& b) { return a.place.size() < b.place.size(); });
  for (const Part& part : inwards) {
    if (part.in_place) continue;
    MakeParents(part.place);
    steps.Move(part.clone, part.place);
  }
  steps.Keep();
}

void Replacement::Discard() {
  for (const Part& part : parts_) {
    if (!part.in_place) {
      RemoveTree(part.clone);
    } else {
      for (const std::string& name : ListDirectory(part.place)) RemoveTree(part.place + "/" + name);
    }
  }
}

}  // namespace mfi::os
