#include "core/replication/replication_slot.h"

#include <cmath>

#include "core/base/timestamp.h"

namespace mfi::core {
namespace {

/// Dead rows of so many transactions are kept: where a standby is gone, and where it is there but reads for long.
constexpr std::int64_t kXminAgeOfGone = 100'000;
constexpr std::int64_t kXminAgeOfConnected = 10'000'000;
constexpr std::int64_t kXminAgeCritical = 100'000'000;

constexpr char kKeepStep[] = "Let the standby catch up now, or raise max_slot_wal_keep_size if there is disk space.";

void JudgeLoss(const SlotFacts& slot, const std::optional<double>& growth, Reasons& reasons) {
  if (slot.wal_status == "lost") {
    reasons.push_back({Verdict::kCritical, "slot-lost", "slot " + slot.name + " has lost WAL that its standby needs",
                       "The standby must be cloned anew (pg_basebackup); drop the slot and create it again before."});
  } else if (slot.wal_status == "unreserved") {
    reasons.push_back({Verdict::kCritical, "slot-at-risk",
                       "slot " + slot.name + " is about to lose WAL" +
                           (slot.safe_bytes ? " (" + FormatBytes(*slot.safe_bytes) + " left)" : ""),
                       kKeepStep});
  } else if (slot.safe_bytes) {
    const auto left = UsedUpWithinADay(*slot.safe_bytes, growth);
    if (!left) return;
    reasons.push_back({left->critical ? Verdict::kCritical : Verdict::kWarning, "slot-at-risk",
                       "slot " + slot.name + " will lose WAL in about " + FormatDuration(std::llround(left->seconds)) +
                           " (" + FormatBytes(*slot.safe_bytes) + " left)",
                       kKeepStep});
  }
}

void JudgeXmin(const SlotFacts& slot, Reasons& reasons) {
  if (!slot.xmin_age) return;
  const bool connected = slot.active_pid != 0;
  const std::int64_t age = *slot.xmin_age;
  if (age < (connected ? kXminAgeOfConnected : kXminAgeOfGone)) return;
  reasons.push_back({age >= kXminAgeCritical ? Verdict::kCritical : Verdict::kWarning, "slot-xmin-age",
                     "slot " + slot.name + " keeps VACUUM from removing the dead rows of the last " +
                         std::to_string(age) + " transactions",
                     connected ? "End the long queries on the standby, or turn hot_standby_feedback off there."
                               : "Start the standby; when it is gone for good, SELECT pg_drop_replication_slot('" +
                                     slot.name + "')."});
}

}  // namespace

std::optional<TimeLeft> UsedUpWithinADay(std::int64_t bytes, const std::optional<double>& bytes_per_s) {
  if (bytes_per_s.value_or(0) <= 0) return std::nullopt;
  const double seconds = static_cast<double>(bytes) / *bytes_per_s;
  if (seconds > static_cast<double>(kDay)) return std::nullopt;
  return TimeLeft{seconds, seconds <= static_cast<double>(kHour)};
}

Reasons JudgeSlot(const SlotFacts& slot, const std::optional<double>& growth) {
  Reasons reasons;
  JudgeLoss(slot, growth, reasons);
  JudgeXmin(slot, reasons);
  return reasons;
}

}  // namespace mfi::core
