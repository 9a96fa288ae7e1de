#include "pg/server/invalid_settings.h"

#include "pg/server/bridge.h"
#include "pg/server/compat.h"
#include "pg/server/shared_memory.h"

extern "C" {
#include "utils/guc.h"
}

namespace mfi::pg {
namespace {

struct Told {
  char text[kReasonLength];  // empty: all of the files' values are in force
};

constinit SharedPart<Told> told("mfi invalid settings");

/// The verdict tells of it, which everybody with pg_monitor reads: no value of a setting that is only shown to a
/// superuser, nor the server's words for it, which can quote it.
bool MayBeShown(const char* name) {
  return (CallPg([&] { return GetConfigOptionFlags(name, true); }) & GUC_SUPERUSER_ONLY) == 0;
}

}  // namespace

std::string DescribeInvalidSettings() {
  const ConfigVariable* all = CallPg([] { return ProcessConfigFileInternal(PGC_SIGHUP, false, DEBUG3); });
  std::string text;
  for (const ConfigVariable* item = all; item != nullptr; item = item->next) {
    if (item->name == nullptr || item->errmsg == nullptr || pg_strncasecmp(item->name, "mfi.", 4) != 0) continue;
    if (!text.empty()) text += "; ";
    const bool shown = MayBeShown(item->name);
    text += item->name;
    if (shown) text += std::string(" = '") + (item->value == nullptr ? "" : item->value) + "'";
    text += std::string(" in ") + (item->filename == nullptr ? "the configuration" : item->filename) + " line " +
            std::to_string(item->sourceline) + " is not in force (" +
            (shown ? item->errmsg : "pg_file_settings shows a superuser why") + ")";
  }
  return text;
}

void InitInvalidSettings() { told.Share(); }

void TellInvalidSettings(const std::string& text) {
  const auto t = told.Write();
  strlcpy(t->text, text.c_str(), sizeof(t->text));
}

std::string ToldInvalidSettings() { return told.IsThere() ? told.Read()->text : ""; }

}  // namespace mfi::pg
