#include "core/recovery/recovery_health.h"

#include <algorithm>
#include <cmath>

#include "core/base/own_receiver.h"
#include "core/base/timestamp.h"
#include "core/recovery/base_plan.h"
#include "core/recovery/to_come.h"

namespace mfi::core {
namespace {

constexpr double kStandsWarning = 15;  // a connection that broke is made anew within seconds
constexpr double kSilentWarning = kMinute;
constexpr double kStandsCritical = 3 * kMinute;
constexpr std::int64_t kOldWarning = 2 * kMinute;
constexpr std::int64_t kOldCritical = 10 * kMinute;
constexpr std::int64_t kFirstBase = kHour;  // within this time of the store's making, it may still be on its way
constexpr std::int64_t kSlack = kDay;       // a first base took some time
constexpr std::int64_t kNoRoom = std::int64_t{256} * 1024 * 1024;
constexpr std::int64_t kTelling = kHour;
constexpr double kRoomForBase = 1.2;

constexpr char kLookStep[] = "SELECT receiver_state, error FROM mfi_recovery, and read the server's log.";
constexpr char kSlotStep[] =
    "Have it receive again (SELECT error FROM mfi_recovery), or raise max_slot_wal_keep_size if pg_wal has the room.";
constexpr char kRoomStep[] = "Enlarge that disk, or shorten mfi.recovery_window; delete nothing there by hand.";
constexpr char kBaseStep[] = "SELECT mfi_recovery_base_now(true).";
constexpr char kDrillStep[] = "SELECT mfi_recovery_drill().";

std::string For(double seconds) { return FormatDuration(std::llround(seconds)); }

std::string Name(const DrillRecord& drill) {
  return "the drill " + drill.id + (drill.base.empty() ? "" : " of base " + drill.base);
}

class Judge {
 public:
  explicit Judge(const RecoveryFacts& facts) : facts_(facts), store_(facts.store), receiving_(facts.receiving) {}

  Reasons Run() {
    if (facts_.directory.empty()) {
      Off();
      return std::move(reasons_);
    }
    Receiver();
    Slot();
    if (LookedAt()) {
      Device();
      Room();
      Reach();
      PointOld();
      Bases();
      Drills();
    }
    SortByGravity(reasons_);
    return std::move(reasons_);
  }

 private:
  void Add(Verdict verdict, const char* code, std::string sentence, std::string next_step) {
    reasons_.push_back({verdict, code, std::move(sentence), std::move(next_step)});
  }

  void Off() {
    if (!receiving_.slot_status.empty() && receiving_.slot_status != "lost") {
      Add(Verdict::kWarning, "recovery-slot-left",
          std::string("recovery is off, and its slot ") + kRecoverySlot + " still keeps WAL" +
              (receiving_.slot_retained_bytes ? " (" + FormatBytes(*receiving_.slot_retained_bytes) + ")" : ""),
          "It goes by itself within seconds, unless somebody uses it: SELECT active_pid FROM pg_replication_slots "
          "WHERE "
          "slot_name = '" +
              std::string(kRecoverySlot) + "'.");
    }
    Add(Verdict::kOk, kRecoveryOff, "mfi.recovery_directory is not set, so only whole backups can be restored",
        "ALTER SYSTEM SET mfi.recovery_directory = '/path/of/recovery'; SELECT pg_reload_conf().");
  }

  void Receiver() {
    if (!facts_.preloaded) {
      Add(Verdict::kCritical, "not-preloaded",
          "the mfi library is not loaded at server start, so no WAL is received for recovery",
          "Set shared_preload_libraries = 'mfi' in postgresql.conf and restart the server.");
      return;
    }
    const double silent_s = receiving_.there ? receiving_.silent_s.value_or(0) : 0;
    const bool silent = silent_s >= kSilentWarning;
    const double stands_s = silent ? std::max(receiving_.stands_s, silent_s) : receiving_.stands_s;
    if (stands_s < kStandsWarning) return;
    std::string sentence;
    if (silent) {
      sentence = "the mfi receiver has not come round for " + For(silent_s);
    } else if (!receiving_.there) {
      sentence = "the mfi receiver has not been there for " + For(stands_s);
    } else if (!receiving_.receiving) {
      sentence = "no WAL has been received for " + For(stands_s);
    } else {
      sentence = "the receiver has come no further for " + For(stands_s) + ", and is " +
                 FormatBytes(receiving_.lag_bytes) + " behind";
    }
    if (!receiving_.error.empty()) sentence += ": " + receiving_.error;
    Add(stands_s >= kStandsCritical ? Verdict::kCritical : Verdict::kWarning, "recovery-receiver-stalled", sentence,
        kLookStep);
  }

  /// What its slot keeps for it while it does not receive.
  void Slot() {
    if (receiving_.slot_status == "lost") {
      Add(Verdict::kCritical, "recovery-gap",
          std::string("slot ") + kRecoverySlot + " has lost WAL that was not received, so it is missing in the store",
          std::string("The receiver makes the slot anew; then ") + kBaseStep);
      return;
    }
    if (!receiving_.slot_safe_bytes) return;
    const std::string left = " (" + FormatBytes(std::max<std::int64_t>(0, *receiving_.slot_safe_bytes)) + " left)";
    const auto lost_in = UsedUpAfter(*receiving_.slot_safe_bytes, receiving_.wal_bytes_per_s);
    if (receiving_.slot_status == "unreserved") {
      Add(Verdict::kCritical, "recovery-receiver-stalled",
          std::string("slot ") + kRecoverySlot + " is about to lose WAL that was not received" + left, kSlotStep);
    } else if (lost_in && receiving_.stands_s >= kStandsWarning) {
      Add(*lost_in <= kHour ? Verdict::kCritical : Verdict::kWarning, "recovery-receiver-stalled",
          std::string("slot ") + kRecoverySlot + " will lose WAL that was not received in about " + For(*lost_in) +
              left,
          kSlotStep);
    }
  }

  /// In seconds; nullopt: more than a day.
  static std::optional<double> UsedUpAfter(std::int64_t bytes, const std::optional<double>& bytes_per_s) {
    if (bytes_per_s.value_or(0) <= 0) return std::nullopt;
    const double seconds = static_cast<double>(std::max<std::int64_t>(0, bytes)) / *bytes_per_s;
    return seconds <= kDay ? std::optional<double>(seconds) : std::nullopt;
  }

  bool LookedAt() {
    if (store_.silent) {
      Add(Verdict::kUnknown, "recovery-store-unknown",
          "the file system of \"" + facts_.directory + "\" did not answer in time, so it was not looked at",
          "Look at that mount (a network share whose server is gone?), and ask again.");
      return false;
    }
    if (store_.problem.empty()) return true;
    Add(Verdict::kCritical, "recovery-store-unusable", store_.problem,
        store_.remedy.empty()
            ? "Make the directory usable for the server's operating system user; receiving then goes on."
            : store_.remedy);
    return false;
  }

  void Device() {
    if (!store_.same_device) return;
    Add(Verdict::kWarning, "recovery-same-device",
        "\"" + facts_.directory + "\" is on the same device as the data: one broken disk takes both",
        "Mount another disk there; the bases and WAL that are there may be moved along.");
  }

  void Room() {
    if (!store_.free_bytes) return;
    const std::int64_t free_bytes = *store_.free_bytes;
    const std::string left = "\"" + facts_.directory + "\" has " + FormatBytes(free_bytes) + " left";
    const auto now = UsedUpAfter(free_bytes, receiving_.wal_bytes_per_s);
    const auto usual = UsedUpAfter(free_bytes, UsualRate());
    const auto filled = [](double in, const char* how) { return ", which WAL fills in about " + For(in) + how; };
    const std::string at_now = now ? filled(*now, " as it is written now") : "";
    const std::string of_late = usual ? filled(*usual, " as it was written of late") : "";
    if (free_bytes < kNoRoom) {
      Add(Verdict::kCritical, "recovery-store-full",
          left + (now ? at_now : of_late) + ": receiving stops when it is full", kRoomStep);
    } else if (now && *now <= kHour) {
      Add(Verdict::kCritical, "recovery-store-full", left + at_now, kRoomStep);
    } else if (usual) {
      Add(Verdict::kWarning, "recovery-store-full", left + of_late, kRoomStep);
    } else if (const std::int64_t needed = NextFull(); free_bytes < needed) {
      Add(Verdict::kWarning, "recovery-store-full",
          left + ", and the next full base needs about " + FormatBytes(needed), kRoomStep);
    }
  }

  /// Of WAL since the newest base that is old enough to tell.
  std::optional<double> UsualRate() const {
    if (store_.line.stretches.empty()) return std::nullopt;
    const Lsn end = store_.line.stretches.back().to;
    std::optional<double> rate;
    for (const BaseRecord& base : store_.bases) {
      const std::int64_t age = facts_.now - base.finished_at;
      if (age < kTelling || base.end >= end) continue;
      rate = static_cast<double>(end - base.end) / static_cast<double>(age);
    }
    return rate;
  }

  std::int64_t NextFull() const {
    std::int64_t bytes = 0;
    for (const BaseRecord& base : store_.bases) {
      if (base.full) bytes = std::llround(kRoomForBase * static_cast<double>(base.stored_bytes));
    }
    return bytes;
  }

  void Reach() {
    const std::vector<ReachedStretch> reached = ReachOf(store_.bases, store_.line);
    for (std::size_t i = 0; i < reached.size(); ++i) {
      const ReachedStretch& stretch = reached[i];
      if (!stretch.gap) continue;
      const std::string missing = "WAL is missing in the store, segment " + NameOf(*stretch.gap, store_.segment_bytes);
      if (i + 1 == reached.size()) {
        Add(Verdict::kCritical, "recovery-gap", missing + ", so nothing that came later can be recovered", kBaseStep);
      } else if (reached[i + 1].from > facts_.now - facts_.window_s) {
        Add(Verdict::kWarning, "recovery-gap",
            missing + ", so there is a time before " + FormatIso(reached[i + 1].from) + " that cannot be recovered",
            "See why in the server's log; the gap leaves mfi.recovery_window by itself.");
      }
    }
    if (reached.empty() || !store_.created_at || *store_.created_at > facts_.now - facts_.window_s - kSlack) return;
    if (reached.front().from <= facts_.now - facts_.window_s) return;
    Add(Verdict::kWarning, "recovery-window-short",
        "the oldest time that can be recovered is " + FormatIso(reached.front().from) + ", " +
            FormatDuration(facts_.now - reached.front().from) + " ago, and mfi.recovery_window is " +
            FormatDuration(facts_.window_s),
        "See whether bases or WAL were deleted in \"" + facts_.directory + "\"; it grows to the window by itself.");
  }

  void PointOld() {
    const RecoveryReach reach = ReachOf(facts_);
    const bool starts = !receiving_.complete_at && receiving_.stands_s < kStandsWarning;
    if (!reach.newest || starts) return;
    const std::int64_t age = facts_.now - *reach.newest;
    if (age < kOldWarning) return;
    Add(age >= kOldCritical ? Verdict::kCritical : Verdict::kWarning, "recovery-point-old",
        "the newest time that can be recovered is " + FormatIso(*reach.newest) + ", " + FormatDuration(age) + " ago",
        kLookStep);
  }

  void Bases() {
    const BaseRecord* newest = NewestBase(store_.bases);
    const std::string failure = facts_.base_failure.empty() ? "" : "; the last one failed: " + facts_.base_failure;
    if (newest == nullptr) {
      const bool first = store_.created_at && facts_.now - *store_.created_at < kFirstBase;
      Add(facts_.base_runs || (first && failure.empty()) || !store_.created_at ? Verdict::kWarning : Verdict::kCritical,
          "recovery-base-stale",
          "there is no base, so nothing can be recovered" +
              std::string(facts_.base_runs ? " yet; one is being made" : "") + failure,
          facts_.base_runs ? "Wait for it: SELECT running FROM mfi_recovery." : kBaseStep);
      return;
    }
    const bool to_come = IsToCome(newest->started_at, facts_.now);
    const bool on_its_way = facts_.base_runs && failure.empty();
    if (facts_.base_due && (newest->started_at < *facts_.base_due || to_come) && !on_its_way) {
      Add(Verdict::kWarning, "recovery-base-stale",
          "the newest base, " + newest->id +
              (to_come ? ", is of a time to come, as the clock was set back since"
                       : ", is " + FormatDuration(facts_.now - newest->started_at) + " old, and two were due since") +
              failure,
          "SELECT mfi_recovery_base_now(), which tells why none came.");
    }
    for (const BaseRecord& base : store_.bases) {
      if (!ChainOf(store_.bases, base.id).empty()) continue;
      const bool is_newest = base.id == newest->id;
      Add(is_newest ? Verdict::kCritical : Verdict::kWarning, "recovery-chain-broken",
          "base " + base.id + " cannot be used, as one that it builds on (" + base.parent + ") is missing",
          is_newest ? kBaseStep : "It goes by retention; a full base begins a new chain: " + std::string(kBaseStep));
    }
  }

  void Drills() {
    const DrillRecord* last = LastDrill(store_.drills, facts_.now);
    const DrillRecord* good = LastGoodDrill(store_.drills, facts_.now);
    const bool fresh = good != nullptr && (!facts_.drill_due || good->started_at >= *facts_.drill_due);
    if (last != nullptr && !last->result.empty() && last->result != "ok") {
      Add(Verdict::kCritical, "recovery-drill-failed", Name(*last) + " found other contents: " + last->result,
          "Make a new chain and prove it: SELECT mfi_recovery_base_now(true); SELECT mfi_recovery_drill().");
    } else if (last != nullptr && Failed(*last)) {
      // It did not come to its end, which says nothing of what is in the store, and is tried again.
      Add(fresh ? Verdict::kWarning : Verdict::kCritical, "recovery-drill-failed",
          Name(*last) + " failed: " + last->error, "Correct the cause, then " + std::string(kDrillStep));
    }
    const bool was_there =
        !store_.bases.empty() && facts_.drill_due && store_.bases.front().finished_at < *facts_.drill_due;
    if (was_there && (good == nullptr || good->started_at < *facts_.drill_due)) {
      Add(Verdict::kWarning, "recovery-drill-stale",
          good == nullptr
              ? "no drill has proven yet that recovery works"
              : "the last good drill, " + good->id + ", was " + FormatDuration(facts_.now - good->started_at) + " ago",
          kDrillStep);
    }
    if (good == nullptr || !good->rto_ms || facts_.target_s == 0 || *good->rto_ms <= facts_.target_s * 1000) return;
    Add(Verdict::kWarning, "recovery-slow",
        "a recovery takes " + FormatDuration(*good->rto_ms / 1000) +
            " by the last drill, and mfi.recovery_target_time is " + FormatDuration(facts_.target_s),
        "Make bases more often (mfi.recovery_incremental_schedule), give the drill a faster disk "
        "(mfi.scratch_directory), or raise mfi.recovery_target_time.");
  }

  const RecoveryFacts& facts_;
  const StoreFacts& store_;
  const ReceivingFacts& receiving_;
  Reasons reasons_;
};

}  // namespace

Reasons JudgeRecovery(const RecoveryFacts& facts) { return Judge(facts).Run(); }

}  // namespace mfi::core
