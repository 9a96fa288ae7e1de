#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/time.h"
#include "core/offsite/offsite_drill_record.h"
#include "core/offsite/offsite_state.h"

namespace mfi::core {

enum class OffsiteWork { kNone, kSet, kStore, kProbe, kForget, kCheck, kContact };

/// A set that was proven, and is of this cluster.
struct ProvenSet {
  std::string id;
  UtcSeconds finished = 0;
  bool copied = false;  // into this repository

  friend bool operator==(const ProvenSet&, const ProvenSet&) = default;
};

struct OffsiteDueInput {
  UtcSeconds now = 0;
  bool is_primary = false;  // it copies sets, and looks after the repository
  bool has_store = false;   // of recovery
  std::int64_t interval_s = 0;
  bool forgets = false;  // mfi.offsite_keep is not empty
  std::vector<ProvenSet> sets;
  OffsiteState state;
  int failures = 0;                         // one after the other
  OffsiteWork failed = OffsiteWork::kNone;  // what failed last
  UtcSeconds last_failure = 0;
};

struct OffsiteDue {
  OffsiteWork work = OffsiteWork::kNone;
  std::string set;  // of kSet
};

/// What is to be done now. What is lost first if this machine burns goes first: the newest proven set, then the newest
/// WAL, then older sets from the newest on; then, once a day each, whether the credentials can delete, the reading of a
/// part of the repository, and what retention there lets go; and at each interval whether it is still there. After a
/// failure nothing is begun for 1, 2, 4, 8, then
/// every 15 minutes.
OffsiteDue NextOffsiteWork(const OffsiteDueInput& input);

/// Whether a drill from a copy is to begin: there is a copy, and none came to an end since the schedule's last time (or
/// ever). One that did not come to its end is tried again after a day. `last`: nullopt without a schedule.
bool OffsiteDrillIsDue(UtcSeconds now, const std::optional<UtcSeconds>& last, bool has_copy,
                       const std::vector<OffsiteDrillRecord>& drills);

/// Which part of the repository is read next, from 1 to kCheckParts: the one whose last reading is longest ago.
int NextCheckPart(const OffsiteState& state);

}  // namespace mfi::core
