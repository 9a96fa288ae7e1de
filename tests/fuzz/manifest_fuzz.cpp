// Any text is either refused as corrupt or a manifest that is written and read back the same, and names no file
// outside its set. The statements made of its properties are one each.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/backup/manifest.h"
#include "core/base/error.h"
#include "core/base/names.h"
#include "core/base/sql_text.h"
#include "core/restore/database_sql.h"

namespace {

bool LeadsOut(const std::string& name) {
  return name.empty() || name.front() == '/' || ("/" + name + "/").find("/../") != std::string::npos;
}

bool IsOne(const std::string& statement) {
  const auto split = mfi::core::SplitStatements(statement + ";");
  return split.size() == 1 && split.front().text == statement;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mfi::core;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const Manifest manifest = ParseManifest(text);
    if (!IsRunId(manifest.run.id) || manifest.run.path.rfind(manifest.run.id + "/", 0) != 0) std::abort();
    if (LeadsOut(manifest.run.path.substr(manifest.run.id.size() + 1))) std::abort();
    for (const ManifestFile& file : manifest.files) {
      if (LeadsOut(file.name)) std::abort();
    }
    if (!IsOne(CreateDatabaseStatement(manifest.database, "new", manifest.database.owner))) std::abort();
    for (const auto& make : {SettingStatements, PrivilegeStatements, AttributeStatements}) {
      for (const std::string& statement : make(manifest.database, "new")) {
        if (!IsOne(statement)) std::abort();
      }
    }
    const std::string written = ToJson(manifest);
    if (ToJson(ParseManifest(written)) != written) std::abort();
  } catch (const Error& error) {
    if (error.sqlstate() != sqlstate::kDataCorrupted) std::abort();
  }
  return 0;
}
