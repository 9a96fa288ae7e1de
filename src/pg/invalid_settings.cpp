#include "pg/invalid_settings.h"

#include "pg/bridge.h"
#include "pg/compat.h"

namespace mfi::pg {

std::string DescribeInvalidSettings() {
  const ConfigVariable* all = CallPg([] { return ProcessConfigFileInternal(PGC_SIGHUP, false, DEBUG3); });
  std::string text;
  for (const ConfigVariable* item = all; item != nullptr; item = item->next) {
    if (item->name == nullptr || item->errmsg == nullptr || pg_strncasecmp(item->name, "mfi.", 4) != 0) continue;
    if (!text.empty()) text += "; ";
    text += std::string(item->name) + " = '" + (item->value == nullptr ? "" : item->value) + "' in " +
            (item->filename == nullptr ? "the configuration" : item->filename) + " line " +
            std::to_string(item->sourceline) + " is not in force (" + item->errmsg + ")";
  }
  return text;
}

}  // namespace mfi::pg
