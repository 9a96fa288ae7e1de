#pragma once

#include <algorithm>
#include <optional>

namespace mfi::core {

/// A rate by samples: their mean until a window is full, then exponentially smoothed over about the window. Plain
/// data, all zero at first, so that it can live in shared memory.
struct SmoothRate {
  double per_s;
  double seen_s;  // 0: nothing is known

  void Add(double amount, double elapsed_s, double window_s) {
    if (elapsed_s <= 0) return;
    seen_s = std::max(elapsed_s, std::min(seen_s + elapsed_s, window_s));
    per_s += (amount / elapsed_s - per_s) * (elapsed_s / seen_s);
  }

  /// Unset before it has been seen for `at_least_s`.
  std::optional<double> Known(double at_least_s = 0) const {
    return seen_s > 0 && seen_s >= at_least_s ? std::optional<double>(per_s) : std::nullopt;
  }
};

}  // namespace mfi::core
