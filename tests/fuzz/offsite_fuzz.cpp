// What restic prints, what a person writes into the environment file and the rule of retention, and what lies in the
// files of state: any text is read, or refused with the error its reader documents.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/offsite/environment_file.h"
#include "core/offsite/keep_rule.h"
#include "core/offsite/offsite_drill_record.h"
#include "core/offsite/offsite_state.h"
#include "core/offsite/repository_address.h"
#include "core/offsite/restic_output.h"

namespace {

using namespace mfi::core;

void Refuses(const char* sqlstate, const std::function<void()>& read) {
  try {
    read();
  } catch (const Error& error) {
    if (error.sqlstate() != sqlstate) std::abort();
  }
}

void Require(bool holds) {
  if (!holds) std::abort();
}

void ReadsBack(std::string_view text) {
  Refuses(sqlstate::kDataCorrupted, [&] {
    const OffsiteState state = ParseOffsiteState(text);
    Require(ParseOffsiteState(ToJson(state)) == state);
  });
  Refuses(sqlstate::kDataCorrupted, [&] {
    const OffsiteDrillRecord drill = ParseOffsiteDrillRecord(text);
    Require(ParseOffsiteDrillRecord(ToJson(drill)) == drill);
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ReadsBack(text);
  Refuses(sqlstate::kDataCorrupted, [&] { (void)ParseSnapshots(text); });
  Refuses(sqlstate::kDataCorrupted, [&] { (void)ParseCopySummary(text); });
  Refuses(sqlstate::kDataCorrupted, [&] { (void)ParseForgotten(text); });
  Refuses(sqlstate::kDataCorrupted, [&] { (void)ParseRepositoryId(text); });
  Refuses(sqlstate::kDataCorrupted, [&] { (void)ParseRestoreSize(text); });
  Refuses(sqlstate::kDataCorrupted, [&] { (void)ParseLock(text); });
  const ResticError error = ParseResticError(1, text);
  Require(!error.words.empty() && error.words.find('\n') == std::string::npos);
  Refuses(sqlstate::kConfigFile, [&] {
    for (const std::string& variable : ParseEnvironment(text)) Require(variable.find('=') != std::string::npos);
  });
  Refuses(sqlstate::kInvalidParameterValue, [&] { (void)KeepOptions(ParseKeepRule(text)); });
  (void)HoldsPassword(text);
  (void)UploadOptions(text);
  return 0;
}
