#include "pg/server/preloaded.h"

#include <string_view>

#include "pg/server/bridge.h"
#include "pg/server/compat.h"

extern "C" {
#include "miscadmin.h"
#include "utils/guc_tables.h"
#include "utils/varlena.h"
}

namespace mfi::pg {
namespace {

/// Plain frame: the names, separated by commas, each in double quotes.
char* OtherLibraries() {
  StringInfoData text;
  initStringInfo(&text);
  List* libraries = NIL;
  if (!SplitDirectoriesString(pstrdup(shared_preload_libraries_string), ',', &libraries)) return text.data;
  ListCell* cell = nullptr;
  foreach (cell, libraries) {
    const char* library = static_cast<const char*>(lfirst(cell));
    const char* slash = strrchr(library, '/');
    const char* name = slash == nullptr ? library : slash + 1;
    if (strcmp(name, "mfi") == 0 || strcmp(name, "mfi.so") == 0 || strchr(library, '"') != nullptr) continue;
    appendStringInfo(&text, "%s\"%s\"", text.len == 0 ? "" : ", ", library);
  }
  return text.data;
}

/// Plain frame: whether it is one that a library has defined, and that the server's own configuration has set.
bool IsOfLibrary(const config_generic* setting) {
  if (strchr(setting->name, '.') == nullptr || strncmp(setting->name, "mfi.", 4) == 0) return false;
  if ((setting->flags & GUC_CUSTOM_PLACEHOLDER) != 0) return false;
  return setting->source == PGC_S_FILE || setting->source == PGC_S_ARGV || setting->source == PGC_S_GLOBAL;
}

}  // namespace

std::string OtherPreloadedLibraries() {
  return CallPg([] { return OtherLibraries(); });
}

std::vector<std::string> SettingsOfLibraries() {
  std::vector<std::string> settings;
  int count = 0;
  config_generic** all = CallPg([&] { return compat::AllSettings(&count); });
  for (int i = 0; i < count; ++i) {
    const char* value = CallPg([&]() -> const char* {
      return IsOfLibrary(all[i]) ? GetConfigOptionByName(all[i]->name, nullptr, true) : nullptr;
    });
    if (value != nullptr) settings.push_back(std::string(all[i]->name) + "=" + value);
  }
  return settings;
}

}  // namespace mfi::pg
