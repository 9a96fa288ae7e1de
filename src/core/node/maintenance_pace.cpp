#include "core/node/maintenance_pace.h"

#include <algorithm>

namespace mfi::core {
namespace {

constexpr std::int64_t kSecondUs = 1'000'000;
constexpr std::int64_t kMinuteUs = 60 * kSecondUs;
constexpr std::int64_t kHourUs = 60 * kMinuteUs;

constexpr std::int64_t kNotReadyUs = 10 * kSecondUs;
/// Between two that begin because rows came.
constexpr std::int64_t kRowsPauseUs = 5 * kSecondUs;
/// Where each attempt takes long, because rows that belong to no month are many, it may not take up a processor.
constexpr std::int64_t kRestPerWork = 20;

std::int64_t Longer(std::int64_t pause, std::int64_t least, std::int64_t most) {
  return std::min(std::max(2 * pause, least), most);
}

}  // namespace

std::int64_t MaintenancePace::due_us() const {
  return done_ && RowsCame() ? std::min(next_us_, for_rows_us_) : next_us_;
}

void MaintenancePace::Begin(std::int64_t now_us) {
  began_for_rows_ = RowsCame();
  if (rows_) seen_ = *rows_;
  done_ = false;
  began_us_ = now_us;
  next_us_ = now_us + kMinuteUs;
}

void MaintenancePace::End(std::int64_t now_us, MaintenanceEnd end) {
  done_ = end == MaintenanceEnd::kDone;
  if (end != MaintenanceEnd::kHindered) pause_us_ = 0;
  switch (end) {
    case MaintenanceEnd::kNotReady:
      next_us_ = now_us + kNotReadyUs;
      return;
    case MaintenanceEnd::kHindered:
      // What hinders it may last: each attempt waits longer.
      pause_us_ = Longer(pause_us_, kMinuteUs, kHourUs);
      next_us_ = now_us + pause_us_;
      return;
    case MaintenanceEnd::kDone:
      break;
  }
  const bool in_vain = began_for_rows_ && rows_ && rows_->left == seen_.left;
  rows_pause_us_ = in_vain ? Longer(rows_pause_us_, kRowsPauseUs, kMinuteUs) : 0;
  const std::int64_t pause = std::max({rows_pause_us_, kRowsPauseUs, kRestPerWork * (now_us - began_us_)});
  for_rows_us_ = now_us + std::min(pause, kHourUs);
  next_us_ = now_us + kHourUs;
}

}  // namespace mfi::core
