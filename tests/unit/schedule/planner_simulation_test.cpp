// A launcher's life in fast motion: random failures, restarts, cancels, manual runs and clock jumps. After each plan
// the promises of the schedule are checked against the list of everything that was started.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "core/schedule/planner.h"
#include "zoneinfo.h"

namespace {

using namespace mfi::core;

struct Course {
  const char* text;
  const char* zone;
  std::int64_t length;
  double failure = 0.3;
  double restart = 0.0;     // per step
  double clock_jump = 0.0;  // per step
  bool backup_on_start = true;
};

class Simulation {
 public:
  Simulation(const Course& course, unsigned seed)
      : course_(course),
        random_(seed),
        zone_(mfi::test::LoadZone(course.zone)),
        schedule_(Cron::Parse(course.text), zone_),
        now_(mfi::test::Utc("2026-01-15 09:00:00")),
        server_start_(now_),
        watching_since_(now_) {}

  void Live() {
    for (std::int64_t lived = 0; lived < course_.length && !testing::Test::HasFailure();) {
      const UtcSeconds before = now_;
      const Plan plan = Step();
      lived += now_ - before;
      Disturb(plan);
    }
    CheckHistory();
  }

  const std::vector<PastRun>& history() const { return history_; }

  /// The slots between the first and the last run that never ran.
  std::vector<std::string> MissingSlots() const {
    std::vector<std::string> missing;
    for (auto slot = schedule_.NextAfter(history_.front().queued_at); slot && slot->run_at <= history_.back().queued_at;
         slot = schedule_.NextAfter(slot->run_at)) {
      if (!HasRun(slot->key)) missing.push_back(slot->key);
    }
    return missing;
  }

 private:
  static constexpr std::int64_t kLongestRun = 4 * kMinute;  // so that no run alone makes the next one late

  bool Chance(double probability) { return std::bernoulli_distribution(probability)(random_); }
  std::int64_t Between(std::int64_t a, std::int64_t b) {
    return std::uniform_int_distribution<std::int64_t>(a, b)(random_);
  }

  bool HasRun(const std::string& key) const {
    return std::any_of(history_.begin(), history_.end(), [&](const PastRun& run) { return run.slot_key == key; });
  }

  PlanInput Input() const {
    PlanInput input;
    input.schedule = &schedule_;
    input.schedule_id = course_.text;
    input.now = now_;
    input.watching_since = watching_since_;
    input.server_start = server_start_;
    input.backup_on_start = course_.backup_on_start;
    input.history = history_;
    input.newest_verified_finished = newest_verified_;
    input.run_in_progress = running_;
    return input;
  }

  /// Plans, starts what is due, and passes time until the next thing happens.
  Plan Step() {
    const Plan plan = MakePlan(Input());
    CheckPlan(plan);
    if (plan.due) {
      Start(plan.due->trigger, plan.due->slot_key, plan.due->attempt);
    } else if (!running_ && Chance(0.02)) {
      Start(Trigger::kManual, {}, 1);
    }
    std::int64_t pause = Between(1, 6 * kHour);
    if (plan.next_run_at) pause = std::min(pause, *plan.next_run_at - now_);
    if (running_) pause = std::min(pause, remaining_);
    now_ += pause;
    if (running_ && (remaining_ -= pause) == 0) Finish();
    return plan;
  }

  void Start(Trigger trigger, const std::string& key, int attempt) {
    PastRun run;
    run.trigger = trigger;
    run.slot_key = key;
    run.schedule_id = course_.text;
    run.queued_at = now_;
    run.server_start = server_start_;
    run.attempt = attempt;
    history_.push_back(run);
    running_ = true;
    remaining_ = Between(1, kLongestRun);
    if (trigger == Trigger::kCatchUp) {
      EXPECT_FALSE(caught_up_) << "a second catch-up after one gap, for " << key;
      caught_up_ = true;
    }
  }

  void Finish() {
    running_ = false;
    history_.back().finished_at = now_;
    history_.back().cancelled = Chance(0.02);
    history_.back().succeeded = !history_.back().cancelled && !Chance(course_.failure);
    if (history_.back().succeeded) newest_verified_ = std::max(newest_verified_.value_or(now_), now_);
  }

  void Disturb(const Plan& plan) {
    if (Chance(course_.clock_jump)) {
      const std::int64_t farthest = Chance(0.1) ? 400 * kDay : 3 * kDay;
      now_ += Between(-farthest, farthest);
      caught_up_ = false;
    }
    if (Chance(course_.restart)) {
      running_ = false;
      now_ += Chance(0.5) ? Between(1, kHour) : Between(1, 4 * kDay);
      server_start_ = watching_since_ = now_;
      caught_up_ = false;
    }
    if (plan.next_run_at && Chance(course_.restart)) watching_since_ = now_;  // the launcher alone was restarted
  }

  void CheckPlan(const Plan& plan) {
    ASSERT_TRUE(plan.next_run_at && plan.next_trigger);
    ASSERT_GT(*plan.next_run_at, now_);
    if (running_) {
      ASSERT_FALSE(plan.due);
    }
    if (running_ || plan.due) return;
    const auto last = schedule_.LastAtOrBefore(now_);
    const bool followed =
        std::any_of(history_.begin(), history_.end(), [&](const PastRun& run) { return run.queued_at < last->run_at; });
    ASSERT_TRUE(HasRun(last->key) || !followed) << "lost: " << last->key;
    const bool own_run = std::any_of(history_.begin(), history_.end(), [&](const PastRun& run) {
      return run.server_start == server_start_ && run.trigger != Trigger::kManual;
    });
    const bool fresh = newest_verified_ && *newest_verified_ > server_start_ - kHour;
    ASSERT_TRUE(!course_.backup_on_start || own_run || fresh || plan.next_trigger == Trigger::kRetry);
  }

  void CheckHistory() const {
    std::map<std::string, std::vector<const PastRun*>> by_slot;
    std::map<UtcSeconds, int> starts;
    for (const PastRun& run : history_) {
      if (!run.slot_key.empty()) by_slot[run.slot_key].push_back(&run);
      if (run.trigger == Trigger::kStart) ++starts[run.server_start];
    }
    for (const auto& [server_start, runs] : starts) EXPECT_EQ(runs, 1) << "on the server start " << server_start;
    for (const auto& [key, runs] : by_slot) {
      EXPECT_LE(runs.size(), static_cast<std::size_t>(kMaxAttempts)) << key;
      for (std::size_t i = 0; i < runs.size(); ++i) {
        EXPECT_EQ(runs[i]->attempt, static_cast<int>(i) + 1) << key;
        EXPECT_EQ(runs[i]->trigger == Trigger::kRetry, i > 0) << "two runs for " << key;
        EXPECT_TRUE(i + 1 == runs.size() || !(runs[i]->succeeded || runs[i]->cancelled)) << key;
      }
    }
  }

  Course course_;
  std::mt19937_64 random_;
  mfi::test::TransitionZone zone_;
  Schedule schedule_;
  UtcSeconds now_;
  UtcSeconds server_start_;
  UtcSeconds watching_since_;
  std::vector<PastRun> history_;
  std::optional<UtcSeconds> newest_verified_;
  bool running_ = false;
  std::int64_t remaining_ = 0;
  bool caught_up_ = false;
};

void LiveMany(const Course& course, unsigned seeds) {
  for (unsigned seed = 1; seed <= seeds && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Simulation(course, seed).Live();
  }
}

constexpr std::int64_t kYear = 365 * kDay;
constexpr std::int64_t kWeek = 7 * kDay;

TEST(PlannerSimulation, AQuietYearRunsEverySlot) {
  Simulation year({.text = "30 2 * * *", .zone = "Europe/Berlin", .length = kYear}, 1);
  year.Live();
  EXPECT_EQ(year.MissingSlots(), std::vector<std::string>());
  for (const PastRun& run : year.history()) EXPECT_NE(run.trigger, Trigger::kCatchUp);
}

TEST(PlannerSimulation, AQuietYearRetriesEveryFailureToTheEnd) {
  Simulation year({.text = "30 2 * * *", .zone = "America/Havana", .length = kYear, .failure = 0.8}, 2);
  year.Live();
  std::map<std::string, const PastRun*> last_attempt;
  for (const PastRun& run : year.history()) last_attempt[run.slot_key] = &run;
  last_attempt.erase("");
  const std::string newest = year.history().back().slot_key;
  int exhausted = 0;
  for (const auto& [key, last] : last_attempt) {
    const PastRun* run = last;
    if (run->succeeded || run->cancelled || key == newest) continue;
    const bool manual_set_came = std::any_of(year.history().begin(), year.history().end(), [&](const PastRun& other) {
      return other.succeeded && other.finished_at > run->queued_at && other.queued_at < run->queued_at + kHour;
    });
    EXPECT_TRUE(run->attempt == kMaxAttempts || manual_set_came) << key;
    ++exhausted;
  }
  EXPECT_GT(exhausted, 50);
}

TEST(PlannerSimulation, YearsWithRestarts) {
  LiveMany({.text = "0 2 * * *", .zone = "Europe/Berlin", .length = kYear, .restart = 0.05}, 10);
}

TEST(PlannerSimulation, YearsWithRestartsAndClockJumps) {
  LiveMany({.text = "0 2 * * *", .zone = "Europe/Berlin", .length = kYear, .restart = 0.03, .clock_jump = 0.03}, 10);
}

TEST(PlannerSimulation, YearsWithoutBackupOnStart) {
  LiveMany({.text = "0 2 * * sun,wed",
            .zone = "Asia/Karachi",
            .length = kYear,
            .restart = 0.05,
            .clock_jump = 0.01,
            .backup_on_start = false},
           10);
}

TEST(PlannerSimulation, WeeksOfAnHourlySchedule) {
  LiveMany({.text = "0 * * * *", .zone = "UTC", .length = kWeek, .restart = 0.05, .clock_jump = 0.05}, 50);
}

TEST(PlannerSimulation, WeeksOfAQuarterHourlySchedule) {
  LiveMany({.text = "*/15 * * * *", .zone = "Australia/Lord_Howe", .length = kWeek, .failure = 0.7, .restart = 0.01},
           10);
}

}  // namespace
