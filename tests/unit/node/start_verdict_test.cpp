#include "core/node/start_verdict.h"

#include <gtest/gtest.h>

namespace {

using namespace mfi::core;
using Kind = StartVerdict::Kind;

StartFacts Facts(const char* node, const char* peer) {
  StartFacts facts;
  facts.node = node;
  facts.peer = peer;
  facts.own = {"7", 2};
  facts.why_waiting = "waiting for it";
  return facts;
}

class FirstNode : public testing::Test {
 protected:
  StartFacts facts_ = Facts("db-primary", "db-replica");
  Kind Judged() const { return JudgeFirstNode(facts_).kind; }
};

class SecondNode : public testing::Test {
 protected:
  StartFacts facts_ = Facts("db-replica", "db-primary");
  Kind Judged() const { return JudgeSecondNode(facts_).kind; }
};

TEST_F(FirstNode, StartsUnlessTheOtherOneWasPromoted) {
  EXPECT_EQ(Judged(), Kind::kStart) << "nobody there, no word";
  facts_.chosen = {"db-replica", 2};
  EXPECT_EQ(Judged(), Kind::kStart) << "a word that is no newer";
  facts_.chosen = {"db-replica", 3};
  EXPECT_EQ(Judged(), Kind::kWait);
  facts_.upstream = {"7", 2};
  EXPECT_EQ(Judged(), Kind::kStart) << "what the other one says itself counts more";
  facts_.upstream = {"7", 3};
  facts_.chosen = {"db-primary", 9};
  EXPECT_EQ(Judged(), Kind::kWait) << "no word starts it beside a newer one";
  facts_.forced = true;
  EXPECT_EQ(Judged(), Kind::kStart);
  facts_.rejoin_asked = true;
  EXPECT_EQ(Judged(), Kind::kRejoin);
}

TEST_F(FirstNode, AnotherClusterDoesNotCount) {
  facts_.upstream = {"8", 9};
  EXPECT_EQ(Judged(), Kind::kStart);
}

TEST_F(FirstNode, SaysWhyItWaits) {
  facts_.upstream = {"7", 3};
  EXPECT_EQ(JudgeFirstNode(facts_).told,
            "db-replica was promoted (timeline 3, here it is 2): this node's server is not started\n"
            "    To make it a standby of db-replica, which gives up what only this node has: docker compose exec "
            "db-primary /rejoin.sh\n"
            "    To go on with this node instead: docker compose stop db-replica, then docker compose exec db-primary "
            "/promote.sh");
}

TEST_F(SecondNode, StartsOnlyByAWord) {
  EXPECT_EQ(Judged(), Kind::kWait) << "nobody there";
  EXPECT_EQ(
      JudgeSecondNode(facts_).told,
      "waiting for it\n    To start this node, which was promoted, as the primary: docker compose exec db-replica "
      "/promote.sh");
  facts_.chosen = {"db-primary", 9};
  EXPECT_EQ(Judged(), Kind::kWait);
  facts_.chosen = {"db-replica", 2};
  EXPECT_EQ(Judged(), Kind::kStart);
  facts_.peer_is_primary = true;
  EXPECT_EQ(Judged(), Kind::kWait) << "the other one says that it is one";
  facts_.forced = true;
  EXPECT_EQ(Judged(), Kind::kStart);
  facts_.rejoin_asked = true;
  EXPECT_EQ(Judged(), Kind::kWait) << "until the other one is there";
}

TEST_F(SecondNode, IsRewoundToANewerOneOfItsCluster) {
  facts_.upstream = {"7", 3};
  EXPECT_EQ(Judged(), Kind::kRejoin);
  facts_.upstream = {"8", 3};
  EXPECT_EQ(Judged(), Kind::kOtherSystem);
  facts_.upstream = {"7", 2};
  EXPECT_EQ(Judged(), Kind::kWait);
  const std::string told = JudgeSecondNode(facts_).told;
  EXPECT_EQ(told.substr(0, told.find('\n')),
            "this node was promoted (timeline 2) and db-primary is a primary too (timeline 2): it is not started");
}

TEST(ChosenNode, AWordForThisNodeThatIsOlderThanItsDataIsNone) {
  EXPECT_FALSE(ChosenOf("here", 1, "here", 2));
  EXPECT_TRUE(ChosenOf("here", 2, "here", 2));
  EXPECT_TRUE(ChosenOf("there", 1, "here", 2));
}

}  // namespace
