#include "core/recovery/base_plan.h"

#include <gtest/gtest.h>

#include "core/recovery/base_refusal.h"
#include "sample_base.h"

namespace {

using namespace mfi::core;
using mfi::test::SampleBase;

constexpr UtcSeconds kAt = 1'780'000'000;
const std::string kNewest = BaseId(kAt + 1, false);

BaseSituation Good() {
  BaseSituation situation;
  situation.bases = {SampleBase(kAt, 0x100), SampleBase(kAt + 1, 0x900, BaseId(kAt, true))};
  for (BaseRecord& base : situation.bases) base.tablespaces = {{16384, "/srv/fast"}};
  situation.tablespaces = {{16384, "/srv/fast"}};
  return situation;
}

TEST(BasePlan, WhatIsDueIsMadeOnTheNewest) {
  EXPECT_EQ(PlanBase(Good(), BaseKind::kNone), BasePlan{});
  EXPECT_EQ(PlanBase(Good(), BaseKind::kFull), (BasePlan{BaseKind::kFull, "", ""}));
  EXPECT_EQ(PlanBase(Good(), BaseKind::kIncremental), (BasePlan{BaseKind::kIncremental, kNewest, ""}));
}

TEST(BasePlan, WithoutAnythingToBuildOnItIsAFullOneAtOnce) {
  BaseSituation none;
  BaseSituation gap = Good();
  gap.gap = true;
  BaseSituation unusable = Good();
  unusable.chain_usable = false;
  BaseSituation torn = Good();
  torn.bases.erase(torn.bases.begin());
  const std::pair<BaseSituation, std::string> cases[] = {{none, "there is no base yet"},
                                                         {gap, "WAL is missing after base " + kNewest},
                                                         {unusable, "the chain of base " + kNewest + " is not usable"},
                                                         {torn, "the chain of base " + kNewest + " is not whole"}};
  for (const auto& [situation, reason] : cases) {
    for (const BaseKind wanted : {BaseKind::kNone, BaseKind::kIncremental, BaseKind::kFull}) {
      EXPECT_EQ(PlanBase(situation, wanted), (BasePlan{BaseKind::kFull, "", reason}));
    }
  }
}

TEST(BasePlan, AFullOneThatMendsBeginsAfterWhatIsMissingOrDamaged) {
  BaseSituation situation = Good();
  situation.wal_from = 0x1000;
  situation.wal_to = 0x3000;
  EXPECT_EQ(PlanBase(situation, BaseKind::kFull).after, 0U);
  situation.bases[0].drill_result = "rows differ";
  const std::string failed = "the drill of base " + kNewest + " failed";
  EXPECT_EQ(PlanBase(situation, BaseKind::kIncremental), (BasePlan{BaseKind::kFull, "", failed, 0x3000}));
  situation.gap = true;
  EXPECT_EQ(PlanBase(situation, BaseKind::kNone).after, 0x1000U);
  situation.gap = false;
  situation.bases[0].drill_result = "ok";
  EXPECT_EQ(PlanBase(situation, BaseKind::kNone), BasePlan{});
}

TEST(BasePlan, ATablespaceThatIsNewIsTakenAtOnce) {
  BaseSituation situation = Good();
  situation.tablespaces.push_back({16400, "/srv/new"});
  const std::string reason = "tablespace 16400 was made since base " + kNewest;
  EXPECT_EQ(PlanBase(situation, BaseKind::kNone), (BasePlan{BaseKind::kIncremental, kNewest, reason}));
  EXPECT_EQ(PlanBase(situation, BaseKind::kFull).kind, BaseKind::kFull);
  situation.summaries = false;
  EXPECT_EQ(PlanBase(situation, BaseKind::kNone).kind, BaseKind::kFull);
  situation.tablespaces.clear();
  EXPECT_EQ(PlanBase(situation, BaseKind::kNone), BasePlan{}) << "one that was dropped needs nothing";
}

TEST(BasePlan, WithoutSummariesItIsAFullOneWhenOneIsDue) {
  BaseSituation situation = Good();
  situation.summaries = false;
  EXPECT_EQ(PlanBase(situation, BaseKind::kNone), BasePlan{});
  EXPECT_EQ(PlanBase(situation, BaseKind::kIncremental),
            (BasePlan{BaseKind::kFull, "", "the server has no summaries of its WAL since base " + kNewest}));
}

TEST(BasePlan, TheNewestEndsLast) {
  EXPECT_EQ(NewestBase({}), nullptr);
  // The clock went back meanwhile.
  const std::vector<BaseRecord> bases = {SampleBase(kAt, 0x100), SampleBase(kAt - 100, 0x900)};
  EXPECT_EQ(NewestBase(bases), &bases[1]);
}

TEST(BaseRefusal, IsToldByTheServersWords) {
  const std::string begin = "pg_basebackup: error: could not initiate base backup: ERROR:  ";
  const std::pair<std::string, BaseRefusal> cases[] = {
      {"manifest requires WAL from final timeline 1 ending at 0/5, but this backup starts at 0/4",
       BaseRefusal::kNothingNew},
      {"WAL summaries are required on timeline 2 from 0/1 to 0/2, but the summaries for that timeline and LSN range "
       "are "
       "incomplete",
       BaseRefusal::kSummaries},
      {"incremental backups cannot be taken unless WAL summarization is enabled", BaseRefusal::kSummaries},
      {"timeline 3 found in manifest, but not in this server's history", BaseRefusal::kParent},
      {"manifest requires WAL from final timeline 1 ending at 0/00000005, but this server switched timelines at 0/4",
       BaseRefusal::kParent},
      {"system identifier in backup manifest is 1, but database system identifier is 2", BaseRefusal::kParent},
      {"could not write file \"x\": No space left on device", BaseRefusal::kOther}};
  for (const auto& [words, refusal] : cases) EXPECT_EQ(RefusalOf(begin + words + "\n"), refusal) << words;
  EXPECT_EQ(RefusalOf(""), BaseRefusal::kOther);
}

}  // namespace
