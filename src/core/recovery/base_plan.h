#pragma once

#include <string>
#include <vector>

#include "core/recovery/base_record.h"

namespace mfi::core {

enum class BaseKind { kNone, kFull, kIncremental };

/// What is known when the next base is thought of.
struct BaseSituation {
  std::vector<BaseRecord> bases;            // of this cluster
  bool chain_usable = true;                 // the files of the newest one's chain are there
  bool gap = false;                         // WAL is missing after the newest one
  Lsn wal_from = 0;                         // from there on none is missing
  Lsn wal_to = 0;                           // where that ends now; of a segment that is being received its beginning
  bool summaries = true;                    // the server has WAL summaries since the newest one
  std::vector<BaseTablespace> tablespaces;  // of the server, now
};

struct BasePlan {
  BaseKind kind = BaseKind::kNone;
  std::string parent;  // of an incremental one
  std::string reason;  // why it is made at once, or is another one than was wanted; empty otherwise
  Lsn after = 0;       // one that begins before would need what is missing, or may be damaged

  friend bool operator==(const BasePlan&, const BasePlan&) = default;
};

/// The one that ends last; nullptr when there is none.
const BaseRecord* NewestBase(const std::vector<BaseRecord>& bases);

/// What a run has to make when `wanted` is due (kNone: nothing is).
BasePlan PlanBase(const BaseSituation& situation, BaseKind wanted);

}  // namespace mfi::core
