#include "zoneinfo.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <stdexcept>

namespace {

using mfi::core::kDay;
using mfi::core::UtcSeconds;
using mfi::test::LoadAllZones;
using mfi::test::LoadZone;
using mfi::test::NamedZone;
using mfi::test::ParseZoneInfo;
using mfi::test::TransitionZone;
using mfi::test::Utc;

/// Sets TZ for the C library while it lives.
class ScopedTz {
 public:
  explicit ScopedTz(const std::string& name) {
    if (const char* old = std::getenv("TZ")) old_ = old;
    setenv("TZ", (":" + name).c_str(), 1);
    tzset();
  }
  ~ScopedTz() {
    if (old_) {
      setenv("TZ", old_->c_str(), 1);
    } else {
      unsetenv("TZ");
    }
    tzset();
  }
  ScopedTz(const ScopedTz&) = delete;
  ScopedTz& operator=(const ScopedTz&) = delete;

 private:
  std::optional<std::string> old_;
};

TEST(ZoneInfo, AgreesWithTheCLibraryInEveryZone) {
  const std::vector<NamedZone> zones = LoadAllZones();
  ASSERT_GT(zones.size(), 300U);
  for (const NamedZone& named : zones) {
    if (named.name == "posixrules") continue;
    const ScopedTz tz(named.name);
    for (UtcSeconds at = Utc("1971-01-01 00:00:00"); at < Utc("2100-01-01 00:00:00"); at += 101 * kDay + 3607) {
      const std::time_t time = at;
      std::tm local{};
      localtime_r(&time, &local);
      ASSERT_EQ(named.zone.OffsetAt(at), local.tm_gmtoff) << named.name << " at " << at;
    }
  }
}

TEST(ZoneInfo, TransitionsAreTheExactInstants) {
  const TransitionZone berlin = LoadZone("Europe/Berlin");
  const UtcSeconds spring = Utc("2090-03-26 01:00:00");
  EXPECT_EQ(berlin.NextTransition(Utc("2090-01-01 00:00:00")), spring);
  EXPECT_EQ(berlin.OffsetAt(spring - 1), 3600);
  EXPECT_EQ(berlin.OffsetAt(spring), 7200);
  EXPECT_EQ(LoadZone("UTC").NextTransition(0), std::nullopt);
}

TEST(ZoneInfo, RefusesOtherFiles) {
  EXPECT_THROW(ParseZoneInfo("# tzdb data"), std::runtime_error);
  EXPECT_THROW(ParseZoneInfo("TZif2"), std::runtime_error);
  EXPECT_THROW(ParseZoneInfo(std::string("TZif") + std::string(40, '\0')), std::runtime_error);
  EXPECT_THROW(LoadZone("No/Such_Zone"), std::runtime_error);
}

}  // namespace
