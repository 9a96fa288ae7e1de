// Recovery's nights in fast motion: schedules and their zone, runs of any length, failures, restarts, a bank that is
// idle. At each moment no reason is told, every second of the window can be reached, and what is kept is bounded.

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "core/base/timestamp.h"
#include "core/recovery/recovery_due.h"
#include "core/recovery/recovery_health.h"
#include "core/recovery/recovery_retention.h"
#include "core/recovery/recovery_times.h"
#include "sample_base.h"
#include "zoneinfo.h"

namespace {

using namespace mfi::core;
using mfi::test::SampleBase;

constexpr std::int64_t kSegment = 16 * 1024 * 1024;

struct Course {
  const char* full = "0 3 * * 0";
  const char* incremental = "0 3 * * *";
  const char* zone = "Europe/Berlin";
  const char* begin = "2026-02-20 10:17:00";  // a spring change is on its way
  int nights = 60;
  std::int64_t longest_base = 4 * kHour;
  std::int64_t longest_drill = 4 * kHour;
  std::int64_t longest_absence = 0;  // of the server; 0: it is never restarted
  double failure = 0;                // of a base
  std::int64_t idle_from = 0;        // days from the beginning, in which nothing is written
  std::int64_t idle_until = 0;
  std::size_t most_chains = 3;
};

class Nights {
 public:
  Nights(const Course& course, unsigned seed)
      : course_(course),
        random_(seed),
        zone_(mfi::test::LoadZone(course.zone)),
        times_(course.full, course.incremental, zone_),
        begin_(mfi::test::Utc(course.begin)),
        now_(begin_) {
    store_.created_at = begin_;
    store_.segment_bytes = kSegment;
    store_.free_bytes = std::int64_t{1} << 44;
  }

  void Live() {
    while (now_ < begin_ + course_.nights * kDay && !testing::Test::HasFailure()) {
      if (running_ == RecoveryWork::kNone) StartNext();
      ExpectNoReason();
      ExpectThePromiseKept();
      Pass();
      if (running_ != RecoveryWork::kNone && now_ == ends_) Finish();
    }
  }

  /// A drill that was good has begun in each night, from one time of the incremental schedule to the next.
  void ExpectADrillEachNight() const {
    for (UtcSeconds night = *times_.Incremental(begin_).next;;) {
      const UtcSeconds next = *times_.Incremental(night).next;
      if (next > now_) return;
      EXPECT_TRUE(std::any_of(store_.drills.begin(), store_.drills.end(), [&](const DrillRecord& drill) {
        return drill.started_at >= night && drill.started_at < next;
      })) << FormatIso(night);
      night = next;
    }
  }

  std::size_t most_chains() const { return most_chains_; }

 private:
  std::int64_t Between(std::int64_t a, std::int64_t b) {
    return std::uniform_int_distribution<std::int64_t>(a, b)(random_);
  }
  bool Chance(double probability) { return std::bernoulli_distribution(probability)(random_); }

  void Write(Lsn bytes) {
    const std::uint64_t before = lsn_ / kSegment;
    lsn_ += bytes;
    for (std::uint64_t number = before; number < lsn_ / kSegment; ++number) {
      files_.push_back({.kind = WalFileKind::kWhole, .segment = {1, number}});
    }
  }

  /// Time until the next thing happens, and what is written meanwhile.
  void Pass() {
    const UtcSeconds before = now_;
    now_ += Between(1, 3 * kHour);
    now_ = std::min(now_, running_ == RecoveryWork::kNone ? std::max(look_again_, before + 1) : ends_);
    // The very second of a time, and the one before it.
    const UtcSeconds next = *times_.Incremental(before).next;
    if (next > before) now_ = std::min(now_, next - 1 > before ? next - 1 : next);
    const std::int64_t day = (before - begin_) / kDay;
    const bool idle = day >= course_.idle_from && day < course_.idle_until;
    Write(static_cast<Lsn>(now_ - before) * (idle ? 1 : Between(100, 1'000)));
    if (running_ != RecoveryWork::kNone && course_.longest_absence > 0 && Chance(0.02)) Restart();
  }

  void Restart() {
    running_ = RecoveryWork::kNone;
    base_failures_ = {};
    failure_.clear();
    now_ += Between(5, course_.longest_absence);
  }

  StoreFacts Store() const {
    StoreFacts store = store_;
    std::vector<WalFile> files = files_;
    files.push_back({.kind = WalFileKind::kPartial, .segment = {1, lsn_ / kSegment}});
    store.line = LineOf(files, {}, kSegment);
    return store;
  }

  BaseSituation Situation() const {
    BaseSituation situation{.bases = store_.bases};
    const WalStretch newest = Store().line.stretches.back();
    situation.wal_from = newest.from;
    situation.wal_to = newest.to;
    const BaseRecord* base = NewestBase(store_.bases);
    situation.gap = base != nullptr && base->start < newest.from;
    return situation;
  }

  void StartNext() {
    const RecoveryDue due = NextRecoveryWork({.now = now_,
                                              .full = times_.Full(now_),
                                              .incremental = times_.Incremental(now_),
                                              .situation = Situation(),
                                              .drills = store_.drills,
                                              .base_failures = base_failures_});
    running_ = due.work;
    look_again_ = due.look_again;
    if (running_ == RecoveryWork::kNone) return;
    const bool drill = running_ == RecoveryWork::kDrill;
    began_ = now_;
    ends_ = now_ + Between(20, drill ? course_.longest_drill : course_.longest_base);
    if (drill) return;
    Write(300);  // a checkpoint
    started_at_lsn_ = lsn_ - 100;
    const bool full = running_ == RecoveryWork::kFull;
    plan_ = PlanBase(Situation(), full ? BaseKind::kFull : BaseKind::kIncremental);
  }

  void Finish() {
    if (running_ == RecoveryWork::kDrill) {
      EndDrill();
    } else if (Chance(course_.failure)) {
      base_failures_ = {base_failures_.count + 1, now_};
      failure_ = "it failed";
    } else {
      EndBase();
    }
    running_ = RecoveryWork::kNone;
    Expire();
  }

  void EndBase() {
    BaseRecord base = SampleBase(now_ - Between(1, (now_ - began_) / 2), started_at_lsn_, plan_.parent);
    base.id = BaseId(began_, base.full);
    base.started_at = began_;
    base.end = lsn_;
    base.stored_bytes = kSegment;
    store_.bases.push_back(base);
    base_failures_ = {};
    failure_.clear();
    Write(100);
  }

  void EndDrill() {
    DrillRecord drill{.id = FormatCompact(began_), .started_at = began_, .finished_at = now_, .result = "ok"};
    BaseRecord& newest = store_.bases.back();
    ASSERT_FALSE(ChainOf(store_.bases, newest.id).empty());
    drill.base = newest.id;
    drill.rto_ms = 1000;
    newest.drilled_at = now_;
    newest.drill_result = "ok";
    store_.drills.push_back(drill);
  }

  void Expire() {
    const RecoveryRetention plan = PlanRecoveryRetention(store_.bases, kWindow, now_);
    std::erase_if(store_.bases, [&](const BaseRecord& base) {
      return std::find(plan.removable.begin(), plan.removable.end(), base.id) != plan.removable.end();
    });
    if (!plan.wal_from) return;
    std::erase_if(files_, [&](const WalFile& file) { return file.segment.number < *plan.wal_from / kSegment; });
  }

  void ExpectNoReason() {
    RecoveryFacts facts{.now = now_, .preloaded = true, .directory = "/recovery", .window_s = kWindow};
    facts.target_s = kHour;
    facts.receiving = {.there = true,
                       .silent_s = 1,
                       .receiving = true,
                       .complete_at = now_ - 1,
                       .slot_status = "reserved",
                       .slot_safe_bytes = kSegment * 64};
    facts.store = Store();
    facts.base_runs = running_ == RecoveryWork::kFull || running_ == RecoveryWork::kIncremental;
    facts.base_failure = failure_;
    facts.base_due = times_.BaseDue(now_);
    facts.drill_due = times_.DrillDue(now_);
    for (const Reason& reason : JudgeRecovery(facts)) {
      const bool first = store_.bases.empty() && reason.code == std::string("recovery-base-stale");
      EXPECT_TRUE(first && (facts.base_runs || !failure_.empty())) << FormatIso(now_) << " " << reason.Text();
    }
  }

  /// From the first base on, and as far back as the window: a chain that is whole, and each segment since its
  /// beginning.
  void ExpectThePromiseKept() {
    const auto fulls =
        std::count_if(store_.bases.begin(), store_.bases.end(), [](const auto& base) { return base.full; });
    most_chains_ = std::max(most_chains_, static_cast<std::size_t>(fulls));
    if (store_.bases.empty()) return;
    if (!promised_) promised_ = store_.bases.front().finished_at;
    const UtcSeconds second = std::max(*promised_, now_ - kWindow);
    const std::uint64_t oldest = files_.empty() ? lsn_ / kSegment : files_.front().segment.number;
    EXPECT_TRUE(std::any_of(store_.bases.begin(), store_.bases.end(),
                            [&](const BaseRecord& base) {
                              return base.finished_at <= second && base.start / kSegment >= oldest &&
                                     !ChainOf(store_.bases, base.id).empty();
                            }))
        << FormatIso(now_) << ": " << FormatIso(second) << " cannot be reached";
    EXPECT_TRUE(files_.empty() || files_.size() == lsn_ / kSegment - oldest) << "a segment is missing";
  }

  static constexpr std::int64_t kWindow = 7 * kDay;

  Course course_;
  std::mt19937_64 random_;
  mfi::test::TransitionZone zone_;
  RecoveryTimes times_;
  UtcSeconds begin_;
  UtcSeconds now_;
  Lsn lsn_ = 5 * kSegment + 40;
  std::vector<WalFile> files_;
  StoreFacts store_;
  std::optional<UtcSeconds> promised_;
  std::size_t most_chains_ = 0;

  RecoveryWork running_ = RecoveryWork::kNone;
  BasePlan plan_;
  UtcSeconds began_ = 0;
  UtcSeconds ends_ = 0;
  UtcSeconds look_again_ = 0;
  Lsn started_at_lsn_ = 0;
  FailedAttempts base_failures_;
  std::string failure_;
};

void LiveMany(const Course& course) {
  for (unsigned seed = 1; seed <= 2 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Nights nights(course, seed);
    nights.Live();
    EXPECT_LE(nights.most_chains(), course.most_chains);
    if (course.longest_absence == 0) nights.ExpectADrillEachNight();
  }
}

TEST(RecoveryNights, WithTheSpringChange) { LiveMany({}); }

TEST(RecoveryNights, WithTheAutumnChangeInWhichTheTimeComesTwice) {
  LiveMany({.full = "30 2 * * 0", .incremental = "30 2 * * *", .begin = "2026-09-20 10:00:00"});
}

TEST(RecoveryNights, WithASpringChangeThatSkipsTheTime) {
  LiveMany({.full = "30 2 * * 0",
            .incremental = "30 2 * * *",
            .zone = "Australia/Lord_Howe",
            .begin = "2026-08-20 00:00:00"});
}

TEST(RecoveryNights, OfABankThatIsIdleForWeeks) { LiveMany({.idle_from = 10, .idle_until = 40}); }

TEST(RecoveryNights, WithRunsThatLastForMostOfTheDay) {
  LiveMany({.longest_base = 11 * kHour, .longest_drill = 11 * kHour, .most_chains = 4});
}

TEST(RecoveryNights, WithBasesThatFailAndAreTriedAgain) {
  LiveMany({.longest_base = kHour, .longest_drill = kHour, .failure = 0.2});
}

TEST(RecoveryNights, WithRestartsInTheMiddleOfRuns) { LiveMany({.longest_absence = 6 * kHour}); }

TEST(RecoveryNights, WithDaysInWhichTheServerIsDown) { LiveMany({.longest_absence = 36 * kHour, .most_chains = 4}); }

TEST(RecoveryNights, WithAFullBaseThatLastsUntilAnIncrementalOneIsDue) {
  LiveMany({.full = "0 2 * * 0", .longest_base = 3 * kHour});
}

TEST(RecoveryNights, WithAFullBaseEachNight) {
  LiveMany({.full = "0 3 * * *", .incremental = "0 3 * * *", .most_chains = 10});
}

TEST(RecoveryNights, WithTwoIncrementalBasesADay) {
  LiveMany({.incremental = "0 3,15 * * *", .nights = 20, .longest_base = kHour, .longest_drill = kHour});
}

}  // namespace
