#pragma once

#include <cmath>

namespace mfi::core {

/// How far another node's clock is from ours, as its messages tell. One message that was held up on the way looks
/// like a clock that is behind, so only what two in succession say counts. Plain data, all zero at first.
struct ClockSkew {
  double last_s;
  double skew_s;

  /// `measured_s`: the other clock less ours, as the newest message has it.
  void Add(double measured_s) {
    const bool agree = (measured_s < 0) == (last_s < 0);
    const bool nearer = std::abs(measured_s) < std::abs(last_s);
    skew_s = !agree ? 0 : (nearer ? measured_s : last_s);
    last_s = measured_s;
  }
};

}  // namespace mfi::core
