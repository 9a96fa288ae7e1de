#include "pg/recovery/store_keeper.h"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>
#include <vector>

#include "os/recovery/base_situation.h"
#include "pg/server/pg.h"

extern "C" {
#include "miscadmin.h"
}

namespace mfi::pg {
namespace {

/// By their links: a worker in no database cannot read the catalog.
std::vector<core::BaseTablespace> Tablespaces() {
  std::vector<core::BaseTablespace> found;
  const std::string directory = "pg_tblspc";
  for (const std::string& name : os::ListDirectory(std::string(DataDir) + "/" + directory)) {
    const auto oid = static_cast<std::uint32_t>(std::strtoul(name.c_str(), nullptr, 10));
    if (oid == 0) continue;
    std::array<char, MAXPGPATH> target{};
    const std::string inside = directory + "/" + name;
    const ssize_t length = readlink((std::string(DataDir) + "/" + inside).c_str(), target.data(), target.size() - 1);
    found.push_back({oid, length > 0 ? std::string(target.data(), static_cast<std::size_t>(length)) : inside});
  }
  return found;
}

}  // namespace

core::BaseSituation SituationOf(const os::RecoveryStore& store) {
  core::BaseSituation situation = os::SituationIn(store);
  situation.tablespaces = Tablespaces();
  return situation;
}

}  // namespace mfi::pg
