// Any text is either refused as corrupt or a manifest of a known version whose WAL and sizes make sense.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/base/error.h"
#include "core/recovery/backup_manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mfi::core;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const BackupManifest manifest = ParseBackupManifest(text);
    if (manifest.version != 1 && manifest.version != 2) std::abort();
    if (manifest.version == 2 && manifest.system_identifier.empty()) std::abort();
    if (manifest.timeline == 0 || manifest.start == 0 || manifest.end < manifest.start) std::abort();
    if (manifest.files < 0 || manifest.data_bytes < 0) std::abort();
  } catch (const Error& error) {
    if (error.sqlstate() != sqlstate::kDataCorrupted) std::abort();
  }
  return 0;
}
