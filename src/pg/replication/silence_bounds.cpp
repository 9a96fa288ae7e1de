#include "pg/replication/silence_bounds.h"

#include "pg/server/pg.h"

extern "C" {
#include "replication/walreceiver.h"
#include "replication/walsender.h"
}

namespace mfi::pg {
namespace {

constexpr int kDefaultTimeoutMs = 60000;
constexpr double kDefaultStatusIntervalS = 10;

}  // namespace

core::SilenceBound UpstreamBound() {
  constexpr char kSetting[] = "wal_receiver_timeout";
  if (wal_receiver_timeout == 0) return {.seconds = std::nullopt, .setting = kSetting};
  return {.seconds = wal_receiver_timeout / 2000.0, .setting = kSetting};
}

// A standby speaks as often as its own wal_receiver_status_interval says, which this node can only guess to be like its
// own, and at least when it is asked, after half of the time-out of this node.
core::SilenceBound StandbyBound() {
  constexpr char kSetting[] = "wal_sender_timeout";
  if (wal_sender_timeout == 0) return {.seconds = std::nullopt, .setting = kSetting};
  const double asked_s = wal_sender_timeout / 2000.0;
  const bool guess = wal_sender_timeout <= kDefaultTimeoutMs && wal_receiver_status_interval > 0;
  return {.seconds = guess ? Min(asked_s, static_cast<double>(wal_receiver_status_interval)) : asked_s,
          .setting = kSetting};
}

double StandbySpeaksEveryS() {
  return StandbyBound().seconds.value_or(
      wal_receiver_status_interval > 0 ? static_cast<double>(wal_receiver_status_interval) : kDefaultStatusIntervalS);
}

}  // namespace mfi::pg
