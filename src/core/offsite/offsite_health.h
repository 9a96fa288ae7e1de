#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/verdict.h"
#include "core/offsite/offsite_due.h"

namespace mfi::core {

inline constexpr char kOffsiteOff[] = "offsite-off";

/// What the verdict on copies elsewhere is made of.
struct OffsiteFacts {
  UtcSeconds now = 0;
  bool preloaded = false;
  bool on = false;
  bool is_primary = false;
  bool has_store = false;                 // of recovery
  std::int64_t interval_s = 0;            // of copies of the store
  std::int64_t max_age_s = 0;             // of the newest copy of a set
  std::optional<double> copier_silent_s;  // nullopt: it is not there
  bool directory_silent = false;          // where the state lies does not answer
  OffsiteState state;
  std::vector<ProvenSet> sets;
  bool has_room = true;                  // for sets that wait for their copy, beside the next backups
  std::optional<UtcSeconds> drilled_at;  // the last good drill from a copy
  std::optional<UtcSeconds> drill_due;   // one that was begun since then is not stale; nullopt: none is scheduled
  std::string drill_error;               // what the last one has found; empty: nothing
};

/// Gravest first. That it is off is told as information alone.
Reasons JudgeOffsite(const OffsiteFacts& facts);

}  // namespace mfi::core
