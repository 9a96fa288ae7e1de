#include "core/base/verdict.h"

#include <gtest/gtest.h>

namespace {

using mfi::core::Reasons;
using mfi::core::SortByGravity;
using mfi::core::Verdict;
using mfi::core::Worst;

TEST(Verdict, HasFourNames) {
  EXPECT_EQ(ToString(Verdict::kOk), "ok");
  EXPECT_EQ(ToString(Verdict::kWarning), "warning");
  EXPECT_EQ(ToString(Verdict::kUnknown), "unknown");
  EXPECT_EQ(ToString(Verdict::kCritical), "critical");
}

TEST(Verdict, WorstIsTheGravestAndNothingIsOk) {
  EXPECT_EQ(Worst({}), Verdict::kOk);
  EXPECT_EQ(Worst({{Verdict::kWarning}, {Verdict::kUnknown}, {Verdict::kOk}}), Verdict::kUnknown);
  EXPECT_EQ(Worst({{Verdict::kUnknown}, {Verdict::kCritical}, {Verdict::kWarning}}), Verdict::kCritical);
}

TEST(Verdict, SortedGravestFirstEqualOnesInOrder) {
  Reasons reasons = {{Verdict::kWarning, "a", "1", ""},
                     {Verdict::kCritical, "b", "2", ""},
                     {Verdict::kUnknown, "c", "3", ""},
                     {Verdict::kWarning, "d", "4", ""}};
  SortByGravity(reasons);
  std::string order;
  for (const auto& reason : reasons) order += reason.Text() + ";";
  EXPECT_EQ(order, "b: 2;c: 3;a: 1;d: 4;");
}

}  // namespace
