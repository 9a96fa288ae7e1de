#include "core/backup/backup_health.h"

#include <gtest/gtest.h>

#include <functional>

namespace {

using namespace mfi::core;
using Lines = std::vector<std::string>;

constexpr UtcSeconds kNow = 1'780'000'000;

SetFacts Set(const std::string& id, std::int64_t age, std::int64_t size = 1000, int tables = 17) {
  return {.id = id, .finished = kNow - age, .size_bytes = size, .tables = tables, .verified = true, .restored = true};
}

SetFacts Foreign(SetFacts set) {
  set.foreign = true;
  return set;
}

/// A primary on which all is well.
BackupFacts Healthy() {
  return {.now = kNow,
          .preloaded = true,
          .launcher_alive = true,
          .directory = "/backups",
          .database = "bank",
          .database_exists = true,
          .has_schedule = true,
          .restore_wanted = true,
          .max_age_s = 26 * kHour,
          .sets = {Set("a", 2 * kDay), Set("b", kDay), Set("c", kHour)}};
}

/// The reasons after `change`, as `verdict code: sentence`; each must have a next step.
Lines After(const std::function<void(BackupFacts&)>& change) {
  BackupFacts facts = Healthy();
  change(facts);
  Lines lines;
  for (const Reason& reason : JudgeBackups(facts)) {
    EXPECT_NE(reason.next_step, "") << reason.code;
    lines.push_back(ToString(reason.verdict) + " " + reason.Text());
  }
  return lines;
}

const char kNotLoaded[] =
    "critical not-preloaded: the mfi library is not loaded at server start, so nothing schedules backups";
const char kNone[] = "critical no-verified-backup: there is no verified backup";

TEST(BackupHealth, HealthyHasNoReason) {
  EXPECT_EQ(After([](BackupFacts&) {}), Lines{});
  EXPECT_EQ(After([](BackupFacts& f) { f.sets.back().finished = kNow - f.max_age_s; }), Lines{});
}

TEST(BackupHealth, TheLibraryAndItsLauncher) {
  EXPECT_EQ(After([](BackupFacts& f) { f.preloaded = f.launcher_alive = f.database_exists = false; }),
            Lines{kNotLoaded});
  EXPECT_EQ(After([](BackupFacts& f) { f.launcher_alive = false; }),
            Lines{"critical launcher-down: the mfi launcher is not running, so nothing schedules backups"});
  EXPECT_EQ(
      After([](BackupFacts& f) {
        f.launcher_stalled_s = 40;
        f.sets.clear();
      }),
      Lines{"unknown backup-directory-unknown: the mfi launcher has been waiting for 40 s, so \"/backups\" was not "
            "looked at"});
}

TEST(BackupHealth, WhatIsConfigured) {
  EXPECT_EQ(After([](BackupFacts& f) {
              f.directory.clear();
              f.sets.clear();
              f.has_schedule = false;
            }),
            Lines{"warning backups-off: mfi.backup_directory is not set, so backups are off"});
  EXPECT_EQ(After([](BackupFacts& f) { f.database_exists = false; }),
            Lines{"warning database-missing: there is no database \"bank\" to back up"});
  EXPECT_EQ(After([](BackupFacts& f) { f.has_schedule = false; }),
            Lines{"warning no-schedule: mfi.backup_schedule is empty, so no backup is scheduled"});
  EXPECT_EQ(After([](BackupFacts& f) {
              f.schedule_held = true;
              f.has_schedule = false;
            }),
            Lines{"critical schedule-held: a setting in the configuration file is not valid, so no backup is "
                  "scheduled"});
  EXPECT_EQ(After([](BackupFacts& f) { f.verify_off = true; }),
            Lines{"warning verification-off: mfi.backup_verify = none: backups are not verified"});
  EXPECT_EQ(After([](BackupFacts& f) { f.same_device = true; }),
            Lines{"warning backups-on-same-device: \"/backups\" is on the same device as the data: one broken disk "
                  "takes both"});
  EXPECT_EQ(After([](BackupFacts& f) { f.same_device = f.copy_proven = true; }), Lines{});
}

TEST(BackupHealth, AnUnusableDirectoryHidesWhatIsInIt) {
  EXPECT_EQ(After([](BackupFacts& f) {
              f.directory_problem = "the backup directory \"/backups\" does not exist";
              f.sets.clear();
              f.same_device = true;
            }),
            Lines{"critical backup-directory-unusable: the backup directory \"/backups\" does not exist"});
}

TEST(BackupHealth, WithoutAVerifiedBackup) {
  EXPECT_EQ(After([](BackupFacts& f) { f.sets.clear(); }), Lines{kNone});
  EXPECT_EQ(After([](BackupFacts& f) {
              for (SetFacts& set : f.sets) set.verified = false;
            }),
            Lines{kNone});
  EXPECT_EQ(After([](BackupFacts& f) {
              for (SetFacts& set : f.sets) set.foreign = true;
            }),
            Lines{kNone});
  EXPECT_EQ(After([](BackupFacts& f) {
              f.sets.clear();
              f.run_in_progress = true;
            }),
            Lines{"warning no-verified-backup: there is no verified backup yet; one is being made"});
}

TEST(BackupHealth, AStaleBackup) {
  EXPECT_EQ(After([](BackupFacts& f) {
              f.sets.pop_back();
              f.sets.back().finished = kNow - f.max_age_s - 1;
            }),
            Lines{"critical backup-stale: the newest verified backup is 26 h old, allowed are 26 h"});
  EXPECT_EQ(After([](BackupFacts& f) { f.now += 10 * kDay; }),
            Lines{"critical backup-stale: the newest verified backup is 10 days old, allowed are 26 h"});
}

TEST(BackupHealth, ANotificationThatFailed) {
  EXPECT_EQ(After([](BackupFacts& f) { f.notify_failure = "/bin/tell failed with exit code 3"; }),
            Lines{"warning notify-failed: mfi.notify_command: /bin/tell failed with exit code 3"});
}

TEST(BackupHealth, ABackupThatWasNotRestored) {
  EXPECT_EQ(After([](BackupFacts& f) { f.sets.back().restored = false; }),
            Lines{"warning backup-not-proven: c was not proven by a restore"});
  EXPECT_EQ(After([](BackupFacts& f) {
              f.sets.back().restored = false;
              f.sets.back().remark = "no room";
            }),
            Lines{"warning backup-not-proven: c: no room"});
  EXPECT_EQ(After([](BackupFacts& f) { f.sets.back().remark = "dumped from the primary"; }),
            Lines{"warning backup-remark: c: dumped from the primary"});
  EXPECT_EQ(After([](BackupFacts& f) {
              f.sets.back().restored = false;
              f.restore_wanted = false;
            }),
            Lines{});
  EXPECT_EQ(After([](BackupFacts& f) {
              f.sets.push_back(Foreign(Set("foreign", 0)));
              f.sets.back().restored = false;
            }),
            Lines{});
}

TEST(BackupHealth, TheLastFailureIsQuoted) {
  EXPECT_EQ(After([](BackupFacts& f) {
              f.last_failed_id = "d";
              f.last_failure = "pg_dump failed";
            }),
            Lines{"warning last-backup-failed: d failed: pg_dump failed"});
}

TEST(BackupHealth, ASuspiciousNewestSet) {
  EXPECT_EQ(After([](BackupFacts& f) { f.sets.back().size_bytes = 400; }),
            Lines{"warning backup-suspicious: c is far smaller, or has fewer tables, than the ones before it"});
}

TEST(BackupHealth, GravestFirst) {
  const Lines lines = After([](BackupFacts& f) {
    f.preloaded = false;
    f.has_schedule = false;
    f.sets.clear();
    f.same_device = true;
  });
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0], kNotLoaded);
  EXPECT_EQ(lines[1], kNone);
  EXPECT_EQ(lines[2].substr(0, 20), "warning no-schedule:");
}

TEST(BackupHealth, AStandbySaysOnlyWhatItSees) {
  const auto standby = [](BackupFacts& f) {
    f.in_recovery = true;
    f.preloaded = f.launcher_alive = f.has_schedule = f.database_exists = false;
  };
  EXPECT_EQ(After(standby), Lines{});
  EXPECT_EQ(After([&](BackupFacts& f) {
              standby(f);
              f.sets.clear();
            }),
            Lines{});
  EXPECT_EQ(After([&](BackupFacts& f) {
              standby(f);
              f.now += 3 * kDay;
            }),
            Lines{"critical backup-stale: the newest verified backup is 3 days old, allowed are 26 h"});
}

std::string Suspicious(const std::vector<SetFacts>& sets) {
  std::string marks;
  for (const bool suspicious : FindSuspicious(sets)) marks += suspicious ? '!' : '.';
  return marks;
}

std::vector<SetFacts> OfSizes(const std::vector<std::int64_t>& sizes) {
  std::vector<SetFacts> sets;
  for (const std::int64_t size : sizes) sets.push_back(Set("s", 0, size));
  return sets;
}

TEST(BackupHealth, SuspiciousIsBelowHalfTheMedianOfSevenBefore) {
  EXPECT_EQ(Suspicious({}), "");
  EXPECT_EQ(Suspicious(OfSizes({1, 1000})), "..");
  EXPECT_EQ(Suspicious(OfSizes({1000, 500, 1000, 499})), "...!");
  EXPECT_EQ(Suspicious(OfSizes({9000, 9000, 9000, 9000, 100, 100, 100, 100, 100, 100, 100, 40})), "....!!!!...!");
  EXPECT_EQ(Suspicious(OfSizes({1000, 0})), ".!");
}

TEST(BackupHealth, SuspiciousIsFewerTablesThanTheOneBefore) {
  EXPECT_EQ(Suspicious({Set("a", 3, 1000, 17), Set("b", 2, 1000, 16), Set("c", 1, 1000, 16), Set("d", 0, 1000, 20)}),
            ".!..");
}

TEST(BackupHealth, SetsOfAnotherOriginAreNotCompared) {
  EXPECT_EQ(Suspicious({Set("a", 3), Foreign(Set("x", 2, 1, 1)), Set("b", 1), Foreign(Set("y", 1, 1, 0))}), "...!");
}

TEST(BackupHealth, NewestVerifiedIsByItsFinish) {
  EXPECT_EQ(NewestVerified({}), std::nullopt);
  EXPECT_EQ(NewestVerified({Set("late", 5), Set("early", 9), Foreign(Set("x", 1))}), kNow - 5);
}

}  // namespace
