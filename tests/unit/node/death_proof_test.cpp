// What proves that a primary is dead, and what does not.

#include "core/node/death_proof.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace {

using namespace mfi::core;

const Seen kNobody{"db1 port 5432", Sight::kRefused, "Connection refused"};
const Seen kSomebody{"db1 port 5432", Sight::kTaken, "somebody answers"};
const Seen kSilence{"db1 port 5432", Sight::kUnreachable, "no answer within 2 s"};
const Seen kNowhere{"primary_conninfo", Sight::kUnknown, "the connection string cannot be read"};
const Seen kNoName{"db-primary port 5432", Sight::kNameGone, "no container of this name runs"};
const Seen kNoIpv6{"db1 (::1) port 5432", Sight::kNoWay, "Address family not supported by protocol"};

std::string WhyNot(const std::vector<Look>& looks) {
  const DeathVerdict verdict = JudgeDeath(looks);
  return verdict.dead ? "dead" : verdict.why;
}

std::vector<Look> Thrice(const std::vector<Seen>& seen) { return {Look{seen}, Look{seen}, Look{seen}}; }

constexpr char kAnswers[] = "the old primary still answers";
constexpr char kUnreached[] = "the old primary cannot be reached, which does not show that it is down";
constexpr char kUnknown[] = "it is not known where the old primary is, and so not that it is down";
constexpr char kTooFew[] = "it was not looked often enough whether the old primary is down";

TEST(DeathProof, IsARefusalAtEveryAddressThreeTimes) {
  EXPECT_EQ(WhyNot(Thrice({kNobody})), "dead");
  EXPECT_EQ(WhyNot(Thrice({kNobody, kNobody})), "dead");
  EXPECT_EQ(WhyNot(Thrice({kNoName})), "dead") << "stopped by the engine";
  EXPECT_EQ(WhyNot(Thrice({kNobody, kNoIpv6})), "dead") << "what never led anywhere does not count";
  EXPECT_EQ(WhyNot({{{kNobody}}, {{kNoName}}, {{kNobody}}}), "dead");
  EXPECT_EQ(WhyNot({{{kNobody}}}), kTooFew);
  EXPECT_EQ(WhyNot({{{kNobody}}, {{kNobody}}}), kTooFew);
}

TEST(DeathProof, IsNothingElse) {
  EXPECT_EQ(WhyNot({}), "nobody has looked whether the old primary is down");
  EXPECT_EQ(WhyNot(Thrice({})), kUnknown) << "no address at all";
  EXPECT_EQ(WhyNot(Thrice({kSomebody})), kAnswers);
  EXPECT_EQ(WhyNot(Thrice({kSilence})), kUnreached);
  EXPECT_EQ(WhyNot(Thrice({kNowhere})), kUnknown);
  EXPECT_EQ(WhyNot(Thrice({kNoIpv6})), kUnreached) << "nothing was tried";
  for (const Seen& seen : {kSomebody, kSilence, kNowhere}) {
    EXPECT_NE(WhyNot(Thrice({kNobody, seen})), "dead") << "one of several: " << seen.words;
    EXPECT_NE(WhyNot(Thrice({seen, kNoName})), "dead") << seen.words;
    EXPECT_NE(WhyNot({{{kNobody}}, {{seen}}, {{kNobody}}}), "dead") << "in between: " << seen.words;
    EXPECT_NE(WhyNot({{{kNobody}}, {{kNobody}}, {{seen}}}), "dead") << "at last: " << seen.words;
    EXPECT_FALSE(MayBeDead({{kNobody, seen}}));
  }
  EXPECT_TRUE(MayBeDead({{kNobody}}));
}

TEST(DeathProof, CountsForNothingWhileTheStandbyHearsIt) {
  std::vector<Look> looks = Thrice({kNobody});
  looks[2].heard = "its stream is up";
  const DeathVerdict verdict = JudgeDeath(looks);
  EXPECT_FALSE(verdict.dead) << "a firewall that resets new connections";
  EXPECT_EQ(verdict.why, kAnswers);
  EXPECT_EQ(verdict.seen, (std::vector<std::string>{"its stream is up", "db1 port 5432: nobody listens"}));
}

TEST(DeathProof, TellsWhatWasSeenWhere) {
  EXPECT_EQ(JudgeDeath({{{kNobody, kSilence}}}).seen,
            (std::vector<std::string>{"db1 port 5432: nobody listens", "db1 port 5432: no answer within 2 s"}));
}

/// PQping's four answers, as far as they say more than whether somebody takes a connection.
TEST(DeathProof, OfTheFourAnswersOfAPingNoneIsProofByItself) {
  EXPECT_EQ(WhyNot(Thrice({{"x", Sight::kTaken, "a server lets standbys stream, on timeline 1"}})), kAnswers) << "OK";
  EXPECT_EQ(WhyNot(Thrice({{"x", Sight::kTaken, "somebody answers, it is starting up"}})), kAnswers) << "REJECT";
  EXPECT_EQ(WhyNot(Thrice({{"x", SightOfErrno(ETIMEDOUT, false), ""}})), kUnreached) << "NO_RESPONSE, by silence";
  EXPECT_EQ(WhyNot(Thrice({{"x", SightOfErrno(ECONNREFUSED, false), ""}})), "dead") << "NO_RESPONSE, by a refusal";
  EXPECT_EQ(WhyNot(Thrice({{"x", Sight::kUnknown, ""}})), kUnknown) << "NO_ATTEMPT";
}

TEST(DeathProof, OfTheErrorsOfAConnectOnlyARefusalIsOne) {
  for (const bool ipv6 : {false, true}) {
    EXPECT_EQ(SightOfErrno(ECONNREFUSED, ipv6), Sight::kRefused);
    EXPECT_EQ(SightOfErrno(EAFNOSUPPORT, ipv6), Sight::kNoWay);
    for (const int error : {EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, ENETDOWN, ETIMEDOUT, EACCES, EPERM, ENOENT, EAGAIN,
                            ECONNRESET, ENOTDIR, EINVAL, ENOBUFS, EMFILE, ENOPROTOOPT, EPROTO, ECONNABORTED, 0}) {
      EXPECT_EQ(SightOfErrno(error, ipv6), Sight::kUnreachable) << error;
    }
  }
  EXPECT_EQ(SightOfErrno(EADDRNOTAVAIL, true), Sight::kNoWay) << "no ::1 here";
  EXPECT_EQ(SightOfErrno(EADDRNOTAVAIL, false), Sight::kUnreachable) << "all ports of this machine are taken";
}

TEST(DeathProof, ARefusalHasAMeaning) {
  for (const char* state :
       {"57P03", "57P01", "57P02", "53300", "53200", "28000", "28P01", "3D000", "42501", "55000", "08P01", "08006"}) {
    EXPECT_NE(MeaningOfRefusal(state), "") << state;
  }
  EXPECT_EQ(MeaningOfRefusal("XX000"), "");
  EXPECT_EQ(MeaningOfRefusal(""), "");
}

}  // namespace
