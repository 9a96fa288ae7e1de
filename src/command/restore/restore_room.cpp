#include "command/restore/restore_room.h"

#include <sys/stat.h>

#include <algorithm>
#include <set>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/base/timestamp.h"
#include "os/base/file.h"

namespace mfi::command {
namespace {

using core::Error;

constexpr char kPidFile[] = "postmaster.pid";

/// Empty when it is another machine's, or may be: the server and this program must read the same of its process there.
std::string DataDirectoryHere(os::Connection& admin) {
  std::string directory = admin.Value("SHOW data_directory");
  const std::string there = admin.Value(std::string("SELECT pg_catalog.pg_read_file('") + kPidFile + "')");
  return os::ReadFile(directory + "/" + kPidFile) == there ? directory : "";
}

struct Room {
  std::string paths;
  std::int64_t bytes = 0;
};

Room RoomOf(os::Connection& admin, const std::vector<std::string>& tablespaces, const std::string& data_directory) {
  Room room;
  std::set<dev_t> counted;
  for (const os::Row& row :
       admin.Query("SELECT spcname, pg_catalog.pg_tablespace_location(oid) FROM pg_catalog.pg_tablespace ORDER BY 1")) {
    const std::string name = row[0] == "pg_default" ? "" : row[0].value_or("");
    if (std::find(tablespaces.begin(), tablespaces.end(), name) == tablespaces.end()) continue;
    std::string path = row[1].value_or("");
    if (path.empty() || path.front() != '/') path = data_directory + "/" + (path.empty() ? "base" : path);
    struct stat found {};
    if (stat(path.c_str(), &found) != 0) os::ThrowErrno(errno, "look at", path);
    if (!counted.insert(found.st_dev).second) continue;
    room.bytes += os::FreeSpace(path);
    room.paths += (room.paths.empty() ? "\"" : " and \"") + core::Printable(path) + "\"";
  }
  return room;
}

}  // namespace

void CheckRoom(RestoreServer& server, const std::vector<std::string>& tablespaces, std::int64_t needed) {
  Room room;
  try {
    const std::string data_directory = DataDirectoryHere(server.admin());
    if (data_directory.empty()) return;
    room = RoomOf(server.admin(), tablespaces, data_directory);
  } catch (const core::Stop&) {
    throw;
  } catch (const Error&) {
    return;
  }
  if (room.paths.empty() || room.bytes >= needed) return;
  throw Error(core::sqlstate::kDiskFull,
              room.paths + " has " + core::FormatBytes(room.bytes) + " free, the database had " +
                  core::FormatBytes(needed) + " when the set was made; nothing was restored",
              {}, "Free some space there, or restore on another server: PGHOST and PGPORT say which.");
}

}  // namespace mfi::command
