#include "core/recovery/recovery_health.h"

#include <gtest/gtest.h>

#include <functional>

#include "core/base/timestamp.h"

namespace {

using namespace mfi::core;
using Lines = std::vector<std::string>;
using Change = std::function<void(RecoveryFacts&)>;

constexpr UtcSeconds kNow = 1'780'000'000;  // 2026-05-28 20:26:40
constexpr std::int64_t kMegabyte = 1024 * 1024;
constexpr std::int64_t kSegment = 16 * kMegabyte;

Lsn At(std::uint64_t segment) { return segment * static_cast<Lsn>(kSegment); }

BaseRecord Base(UtcSeconds at, bool full, std::uint64_t segment, const std::string& parent = "") {
  return {.id = BaseId(at, full),
          .full = full,
          .parent = parent,
          .system_identifier = "7",
          .segment_bytes = kSegment,
          .timeline = 1,
          .start = At(segment),
          .end = At(segment) + 1000,
          .started_at = at,
          .finished_at = at + 60,
          .stored_bytes = 1000 * kMegabyte};
}

DrillRecord Drill(UtcSeconds at, const std::string& base) {
  return {.id = "drill",
          .started_at = at,
          .finished_at = at + 300,
          .base = base,
          .result = "ok",
          .rpo_ms = 400,
          .rto_ms = 90'000,
          .newest_time = at + 200};
}

WalStretch Stretch(std::uint64_t from, std::uint64_t to, bool partial = false) {
  return {At(from), At(to), {1, from}, {1, partial ? to : to - 1}, partial};
}

/// A full base of nine days ago, an incremental one of each of the last two nights, WAL since the first, and a drill.
RecoveryFacts Healthy() {
  RecoveryFacts f{.now = kNow, .preloaded = true, .directory = "/recovery", .window_s = 7 * kDay, .target_s = kHour};
  f.receiving = {.there = true,
                 .silent_s = 1,
                 .receiving = true,
                 .complete_at = kNow - 2,
                 .slot_status = "reserved",
                 .slot_safe_bytes = 4096 * kMegabyte};
  f.base_due = kNow - kDay - kHour;
  f.drill_due = kNow - 2 * kDay - kHour;
  StoreFacts& s = f.store;
  s.free_bytes = 100'000 * kMegabyte;
  s.created_at = kNow - 9 * kDay;
  s.segment_bytes = kSegment;
  s.bases = {Base(kNow - 9 * kDay, true, 5)};
  s.bases.push_back(Base(kNow - kDay - kHour, false, 20, s.bases[0].id));
  s.bases.push_back(Base(kNow - kHour, false, 30, s.bases[1].id));
  s.drills = {Drill(kNow - kHour, s.bases[2].id)};
  s.line.stretches = {Stretch(4, 30, true)};
  return f;
}

/// The reasons after `change`, as `verdict code: sentence`; each must have a next step.
Lines After(const Change& change) {
  RecoveryFacts facts = Healthy();
  change(facts);
  Lines lines;
  for (const Reason& reason : JudgeRecovery(facts)) {
    EXPECT_NE(reason.next_step, "") << reason.code;
    lines.push_back(ToString(reason.verdict) + " " + reason.Text());
  }
  return lines;
}

void Stands(RecoveryFacts& f, double seconds) {
  f.receiving.receiving = false;
  f.receiving.stands_s = seconds;
}

TEST(RecoveryHealth, AllIsWell) {
  EXPECT_EQ(After([](auto&) {}), Lines{});
  EXPECT_EQ(After([](auto& f) { Stands(f, 14); }), Lines{}) << "a connection that broke";
  const RecoveryReach reach = ReachOf(Healthy());
  EXPECT_EQ(reach.oldest, kNow - 9 * kDay + 60);
  EXPECT_EQ(reach.newest, kNow - 2);
  EXPECT_EQ(reach.gap, "");
  EXPECT_EQ(ReceiverState(Healthy()), "receiving");
}

TEST(RecoveryHealth, OffIsInformation) {
  EXPECT_EQ(After([](auto& f) { f = {.now = kNow}; }),
            Lines{"ok recovery-off: mfi.recovery_directory is not set, so only whole backups can be restored"});
  EXPECT_EQ(ReceiverState({}), "off");
  EXPECT_EQ(After([](auto& f) {
              f = {.now = kNow};
              f.receiving.slot_status = "extended";
              f.receiving.slot_retained_bytes = 300 * kMegabyte;
            })[0],
            "warning recovery-slot-left: recovery is off, and its slot mfi_recovery still keeps WAL (300 MB)");
}

TEST(RecoveryHealth, TheReceiver) {
  EXPECT_EQ(After([](auto& f) { f.preloaded = false; }),
            Lines{"critical not-preloaded: the mfi library is not loaded at server start, so no WAL is received for "
                  "recovery"});
  EXPECT_EQ(After([](auto& f) { Stands(f, 15); }),
            Lines{"warning recovery-receiver-stalled: no WAL has been received for 15 s"});
  EXPECT_EQ(After([](auto& f) {
              Stands(f, 180);
              f.receiving.error = "the disk is full";
              EXPECT_EQ(ReceiverState(f), "waiting");
            }),
            Lines{"critical recovery-receiver-stalled: no WAL has been received for 3 min: the disk is full"});
  EXPECT_EQ(After([](auto& f) {
              Stands(f, 100);
              f.receiving.there = false;
              f.receiving.silent_s.reset();
              EXPECT_EQ(ReceiverState(f), "starting");
            }),
            Lines{"warning recovery-receiver-stalled: the mfi receiver has not been there for 100 s"});
  EXPECT_EQ(After([](auto& f) { f.receiving.silent_s = 59; }), Lines{}) << "a busy one";
  EXPECT_EQ(After([](auto& f) { f.receiving.silent_s = 200; }),
            Lines{"critical recovery-receiver-stalled: the mfi receiver has not come round for 3 min"});
  EXPECT_EQ(After([](auto& f) {
              f.receiving.stands_s = 60;
              f.receiving.lag_bytes = 32 * kMegabyte;
            }),
            Lines{"warning recovery-receiver-stalled: the receiver has come no further for 60 s, and is 32 MB behind"});
}

TEST(RecoveryHealth, WhatItsSlotKeeps) {
  const auto stands = [](RecoveryFacts& f, double bytes_per_s) {
    Stands(f, 20);
    f.receiving.wal_bytes_per_s = bytes_per_s;
  };
  const std::string stalled = "warning recovery-receiver-stalled: no WAL has been received for 20 s";
  EXPECT_EQ(
      After([&](auto& f) { stands(f, 100'000); }),
      (Lines{stalled,
             "warning recovery-receiver-stalled: slot mfi_recovery will lose WAL that was not received in about 11 "
             "h (4.0 GB left)"}));
  EXPECT_EQ(After([&](auto& f) { stands(f, 2'000'000); })[0],
            "critical recovery-receiver-stalled: slot mfi_recovery will lose WAL that was not received in about 35 min "
            "(4.0 GB left)");
  EXPECT_EQ(After([&](auto& f) { stands(f, 1); }), Lines{stalled});
  EXPECT_EQ(After([&](auto& f) {
              stands(f, 1);
              f.receiving.slot_status = "unreserved";
              f.receiving.slot_safe_bytes = -5;
            })[0],
            "critical recovery-receiver-stalled: slot mfi_recovery is about to lose WAL that was not received (0 bytes "
            "left)");
  EXPECT_EQ(
      After([](auto& f) { f.receiving.slot_status = "lost"; }),
      Lines{"critical recovery-gap: slot mfi_recovery has lost WAL that was not received, so it is missing in the "
            "store"});
}

TEST(RecoveryHealth, AStoreThatCannotBeLookedAt) {
  EXPECT_EQ(
      After([](auto& f) {
        f.store = {};
        f.store.silent = true;
      }),
      Lines{"unknown recovery-store-unknown: the file system of \"/recovery\" did not answer in time, so it was not "
            "looked at"});
  EXPECT_EQ(After([](auto& f) {
              f.store = {};
              f.store.problem = "it does not exist";
            }),
            Lines{"critical recovery-store-unusable: it does not exist"});
}

TEST(RecoveryHealth, Gaps) {
  const auto at_the_end = [](RecoveryFacts& f) {
    f.store.line = {{Stretch(4, 31), Stretch(33, 34, true)}, {{{1, 31}, {1, 32}}}};
  };
  EXPECT_EQ(After(at_the_end),
            (Lines{"critical recovery-gap: WAL is missing in the store, segment 00000001000000000000001F to "
                   "000000010000000000000020, so nothing that came later can be recovered",
                   "critical recovery-point-old: the newest time that can be recovered is 2026-05-28T19:27:40Z, 59 min "
                   "ago"}));
  const auto between = [](RecoveryFacts& f) {
    f.store.line = {{Stretch(4, 31), Stretch(33, 36, true)}, {{{1, 31}, {1, 32}}}};
    f.store.bases.push_back(Base(kNow - 600, true, 34));
  };
  EXPECT_EQ(After(between),
            Lines{"warning recovery-gap: WAL is missing in the store, segment 00000001000000000000001F to "
                  "000000010000000000000020, so there is a time before 2026-05-28T20:17:40Z that cannot "
                  "be recovered"});
  RecoveryFacts facts = Healthy();
  between(facts);
  EXPECT_EQ(ReachOf(facts).gap, "00000001000000000000001F to 000000010000000000000020");
  EXPECT_EQ(ReachOf(facts).newest, kNow - 2);
  EXPECT_EQ(After([&](auto& f) {
              between(f);
              f.store.bases.back().finished_at = f.now - f.window_s;
            }),
            Lines{})
      << "before the window";
}

TEST(RecoveryHealth, TheNewestAndTheOldestTime) {
  const auto newest = [](std::int64_t age) {
    return [age](RecoveryFacts& f) { f.receiving.complete_at = kNow - age; };
  };
  const std::string sentence = "recovery-point-old: the newest time that can be recovered is 2026-05-28T20:";
  EXPECT_EQ(After(newest(119)), Lines{});
  EXPECT_EQ(After(newest(120)), Lines{"warning " + sentence + "24:40Z, 2 min ago"});
  EXPECT_EQ(After(newest(600)), Lines{"critical " + sentence + "16:40Z, 10 min ago"});
  EXPECT_EQ(After([](auto& f) { f.receiving.complete_at.reset(); }), Lines{}) << "after a start";
  EXPECT_EQ(After([](auto& f) {
              f.receiving.complete_at.reset();
              Stands(f, 20);
            })[0],
            "critical recovery-point-old: the newest time that can be recovered is 2026-05-28T19:30:00Z, 56 min ago")
      << "by the last drill";
  const auto since = [](std::uint64_t segment) {
    return [segment](RecoveryFacts& f) { f.store.line.stretches = {Stretch(segment, 31, true)}; };
  };
  EXPECT_EQ(After(since(10)),
            Lines{"warning recovery-window-short: the oldest time that can be recovered is 2026-05-27T19:27:40Z, 24 h "
                  "ago, and mfi.recovery_window is 7 days"});
  EXPECT_EQ(After([&](auto& f) {
              since(10)(f);
              f.store.created_at = kNow - 7 * kDay;
            }),
            Lines{})
      << "a young store";
}

TEST(RecoveryHealth, Bases) {
  const auto none = [](RecoveryFacts& f) {
    f.store.bases.clear();
    f.store.drills.clear();
  };
  const std::string nothing = "recovery-base-stale: there is no base, so nothing can be recovered";
  EXPECT_EQ(After(none), Lines{"critical " + nothing});
  EXPECT_EQ(After([&](auto& f) {
              none(f);
              f.base_runs = true;
            }),
            Lines{"warning " + nothing + " yet; one is being made"});
  const auto young = [&](RecoveryFacts& f) {
    none(f);
    f.store.created_at = kNow - 60;
  };
  EXPECT_EQ(After(young), Lines{"warning " + nothing});
  EXPECT_EQ(After([&](auto& f) {
              young(f);
              f.base_failure = "no space";
            }),
            Lines{"critical " + nothing + "; the last one failed: no space"});
  EXPECT_EQ(
      After([](auto& f) { f.base_due = kNow - 60; }),
      Lines{"warning recovery-base-stale: the newest base, 20260528T192640Z-incr, is 60 min old, and two were due "
            "since"});
  EXPECT_EQ(After([](auto& f) {
              f.base_due = kNow - 60;
              f.base_runs = true;
            }),
            Lines{})
      << "the one that is being made";
  EXPECT_EQ(
      After([](auto& f) {
        f.base_due = kNow - 60;
        f.base_runs = true;
        f.base_failure = "no space";
      }),
      Lines{"warning recovery-base-stale: the newest base, 20260528T192640Z-incr, is 60 min old, and two were due "
            "since; the last one failed: no space"});
  EXPECT_EQ(After([](auto& f) { f.base_due.reset(); }), Lines{}) << "no schedule";
}

TEST(RecoveryHealth, Chains) {
  EXPECT_EQ(After([](auto& f) { f.store.bases[2].parent = "20260101T000000Z-incr"; }),
            Lines{"critical recovery-chain-broken: base 20260528T192640Z-incr cannot be used, as one that it builds on "
                  "(20260101T000000Z-incr) is missing"});
  EXPECT_EQ(After([](auto& f) {
              f.store.bases[1].parent = "20260101T000000Z-incr";
              f.store.bases[2] = Base(kNow - kHour, true, 30);
            }),
            Lines{"warning recovery-chain-broken: base 20260527T192640Z-incr cannot be used, as one that it builds on "
                  "(20260101T000000Z-incr) is missing"});
}

TEST(RecoveryHealth, Drills) {
  EXPECT_EQ(After([](auto& f) { f.store.drills.back().result = "table portals differs"; })[0],
            "critical recovery-drill-failed: the drill drill of base 20260528T192640Z-incr found other contents: table "
            "portals differs");
  const auto fails = [](RecoveryFacts& f) {
    f.store.drills.push_back(Drill(kNow - 600, ""));
    f.store.drills.back().result.clear();
    f.store.drills.back().error = "no space";
  };
  EXPECT_EQ(After(fails), Lines{"warning recovery-drill-failed: the drill drill failed: no space"});
  EXPECT_EQ(After([&](auto& f) {
              fails(f);
              f.store.drills.erase(f.store.drills.begin());
            }),
            (Lines{"critical recovery-drill-failed: the drill drill failed: no space",
                   "warning recovery-drill-stale: no drill has proven yet that recovery works"}));
  EXPECT_EQ(After([](auto& f) { f.store.drills.back().started_at = kNow - 3 * kDay; }),
            Lines{"warning recovery-drill-stale: the last good drill, drill, was 3 days ago"});
  EXPECT_EQ(After([](auto& f) { f.store.drills.back().finished_at.reset(); }),
            Lines{"warning recovery-drill-stale: no drill has proven yet that recovery works"});
  EXPECT_EQ(After([](auto& f) {
              f.store.drills.clear();
              f.drill_due = kNow - 10 * kDay;
            }),
            Lines{})
      << "younger than that";
  EXPECT_EQ(
      After([](auto& f) { f.store.drills.back().rto_ms = 3'601'000; }),
      Lines{"warning recovery-slow: a recovery takes 60 min by the last drill, and mfi.recovery_target_time is 60 "
            "min"});
  EXPECT_EQ(After([](auto& f) {
              f.store.drills.back().rto_ms = 3'601'000;
              f.target_s = 0;
            }),
            Lines{});
}

TEST(RecoveryHealth, WhereTheStoreIs) {
  EXPECT_EQ(
      After([](auto& f) { f.store.same_device = true; }),
      Lines{"warning recovery-same-device: \"/recovery\" is on the same device as the data: one broken disk takes "
            "both"});
  const auto left = [](std::int64_t megabytes) {
    return [megabytes](RecoveryFacts& f) { f.store.free_bytes = megabytes * kMegabyte; };
  };
  EXPECT_EQ(After(left(255)),
            Lines{"critical recovery-store-full: \"/recovery\" has 255 MB left: receiving stops when it is full"});
  EXPECT_EQ(
      After(left(1199)),
      Lines{"warning recovery-store-full: \"/recovery\" has 1.2 GB left, and the next full base needs about 1.2 GB"});
  const auto rate = [&](double bytes_per_s) {
    return [=](RecoveryFacts& f) {
      left(10'000)(f);
      f.receiving.wal_bytes_per_s = bytes_per_s;
    };
  };
  EXPECT_EQ(After([&](auto& f) {
              rate(20'000)(f);
              left(200)(f);
            }),
            Lines{"critical recovery-store-full: \"/recovery\" has 200 MB left, which WAL fills in about 2 h as it is "
                  "written now: receiving stops when it is full"});
  EXPECT_EQ(After(rate(500'000)), Lines{}) << "for a moment";
  EXPECT_EQ(
      After(rate(5'000'000)),
      Lines{"critical recovery-store-full: \"/recovery\" has 9.8 GB left, which WAL fills in about 34 min as it is "
            "written now"});
  EXPECT_EQ(After([&](auto& f) {
              left(10'000)(f);
              f.store.line.stretches = {Stretch(4, 2020, true)};
            }),
            Lines{"warning recovery-store-full: \"/recovery\" has 9.8 GB left, which WAL fills in about 7 h as it was "
                  "written of late"});
  EXPECT_EQ(After(rate(1)), Lines{});
}

TEST(RecoveryHealth, AClockThatWasSetBackHidesNothing) {
  const auto back = [](std::int64_t seconds) {
    return [seconds](RecoveryFacts& f) {
      f.now -= seconds;
      for (UtcSeconds* due : {&*f.base_due, &*f.drill_due, &*f.receiving.complete_at}) *due -= seconds;
    };
  };
  EXPECT_EQ(After(back(kHour / 2)), Lines{}) << "to before nothing that counts";
  EXPECT_EQ(After(back(2 * kDay)),
            (Lines{"warning recovery-base-stale: the newest base, " + BaseId(kNow - kHour, false) +
                       ", is of a time to come, as the clock was set back since",
                   "warning recovery-drill-stale: no drill has proven yet that recovery works"}));
  EXPECT_EQ(After([&](auto& f) {
              back(2 * kDay)(f);
              *f.receiving.complete_at -= kHour;
            })[0],
            "critical recovery-point-old: the newest time that can be recovered is " +
                FormatIso(kNow - 2 - 2 * kDay - kHour) + ", 60 min ago");
}

TEST(RecoveryHealth, TheGravestComesFirst) {
  const Lines lines = After([](auto& f) {
    f.store.same_device = true;
    f.receiving.complete_at = kNow - kHour;
  });
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].substr(0, 27), "critical recovery-point-old");
}

}  // namespace
