#include "core/base/verdict.h"

#include <algorithm>

namespace mfi::core {

std::string ToString(Verdict verdict) {
  switch (verdict) {
    case Verdict::kOk:
      return "ok";
    case Verdict::kWarning:
      return "warning";
    case Verdict::kUnknown:
      return "unknown";
    case Verdict::kCritical:
      break;
  }
  return "critical";
}

Verdict Worst(const Reasons& reasons) {
  Verdict worst = Verdict::kOk;
  for (const Reason& reason : reasons) worst = std::max(worst, reason.verdict);
  return worst;
}

void SortByGravity(Reasons& reasons) {
  std::stable_sort(reasons.begin(), reasons.end(),
                   [](const Reason& a, const Reason& b) { return a.verdict > b.verdict; });
}

}  // namespace mfi::core
