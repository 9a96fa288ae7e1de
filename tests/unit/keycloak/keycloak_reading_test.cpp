#include <gtest/gtest.h>

#include "core/keycloak/events.h"
#include "core/keycloak/group_reading.h"
#include "core/keycloak/group_report.h"
#include "support.h"

namespace {

using namespace mfi::core;

GroupReading Reading(const std::string& page, const std::string& parent = "") {
  GroupReading reading;
  reading.Add(ReadPage(page, PageKind::kGroups).value(), parent);
  return reading;
}

TEST(KeycloakGroups, AreSentAsTheyCameWithTheirParentAndSortedRoles) {
  EXPECT_EQ(GroupReading().Snapshot(), "[]");
  EXPECT_EQ(Reading(R"([{"z":1.0,"id":"a","parentId":"p","realmRoles":["a","b"]}])", "q").Snapshot(),
            R"([{"z":1.0,"id":"a","parentId":"p","realmRoles":["a","b"]}])");
  EXPECT_EQ(Reading(R"([{"id":"a","n":12345678901234567890123 },{"id":"b","parentId":null,"realmRoles":["b","a"],
      "clientRoles":{"c":["y","x"],"d":["x"]}}])",
                    "p")
                .Snapshot(),
            R"([{"id":"a","n":12345678901234567890123 ,"parentId":"p"},
{"id":"b","parentId":null,"realmRoles":["b","a"],
      "clientRoles":{"c":["y","x"],"d":["x"]},"clientRoles":{"c":["x","y"],"d":["x"]},"parentId":"p","realmRoles":["a","b"]}])");
  // What has another type than roles have is for the database to refuse.
  EXPECT_EQ(Reading(R"([{"id":"a","realmRoles":{"b":1},"clientRoles":["b","a"]}])").Snapshot(),
            R"([{"id":"a","realmRoles":{"b":1},"clientRoles":["b","a"]}])");
}

TEST(KeycloakGroups, WithChildrenThatWereNotSentAreAskedFor) {
  GroupReading reading = Reading(
      R"([{"id":"a","subGroupCount":2},{"id":"b","subGroupCount":1,"subGroups":[{"id":"c"}]},{"id":"d","subGroupCount":1e1,"subGroups":[]},{"id":"e"}])");
  const auto parents = reading.TakeParents();
  ASSERT_EQ(parents.size(), 2U);
  EXPECT_EQ(parents[0].id + std::to_string(parents[0].children), "a2");
  EXPECT_EQ(parents[1].id + std::to_string(parents[1].children), "d10");
  EXPECT_TRUE(reading.TakeParents().empty());
}

std::string Missing(const GroupReading& reading) {
  std::string text;
  for (const auto& one : reading.Shortages()) {
    text += one.of + " " + std::to_string(one.shown) + "/" + std::to_string(one.counted) + "; ";
  }
  return text;
}

TEST(KeycloakGroups, AreAllThereByTheirCounts) {
  const Page top =
      ReadPage(R"([{"id":"a","path":"/x","subGroupCount":2},{"id":"b","subGroupCount":0}])", PageKind::kGroups).value();
  const Page children = ReadPage(
                            R"([{"id":"c","subGroupCount":0},{"id":"d","subGroupCount":2,"path":"/x/d",
      "subGroups":[{"id":"e","subGroupCount":1}]}])",
                            PageKind::kGroups)
                            .value();
  GroupReading reading;
  reading.Add(top, "");
  EXPECT_EQ(Missing(reading), "children of /x 0/2; ");
  reading.Count(3, 9);
  EXPECT_EQ(Missing(reading), "top groups 2/3; children of /x 0/2; ");
  reading.Count(2, 9);
  EXPECT_EQ(Missing(reading), "children of /x 0/2; ");
  ASSERT_EQ(reading.TakeParents().size(), 1U);
  reading.Add(children, "a");
  EXPECT_EQ(Missing(reading), "children of /x/d 1/2; children of e 0/1; ");
  const auto parents = reading.TakeParents();
  ASSERT_EQ(parents.size(), 1U);
  EXPECT_EQ(parents[0].id, "e");
  // The same page twice is no more groups.
  reading.Add(top, "");
  reading.Count(3, 9);
  EXPECT_EQ(Missing(reading), "top groups 2/3; children of /x/d 1/2; children of e 0/1; ");
  // More than were counted are none too few.
  reading.Count(1, 2);
  EXPECT_EQ(Missing(reading), "children of /x/d 1/2; children of e 0/1; ");
}

TEST(KeycloakGroups, AreCountedTogetherWhereTheTopIsNotCountedAlone) {
  GroupReading reading = Reading(R"([{"id":"a","subGroupCount":1,"subGroups":[{"id":"b","subGroupCount":0}]}])");
  reading.Count(2, 2);
  EXPECT_EQ(Missing(reading), "");
  reading.Count(3, 3);
  EXPECT_EQ(Missing(reading), "groups 2/3; ");
  GroupReading flat = Reading(R"([{"id":"a","subGroupCount":0}])");
  flat.Count(2, 2);
  EXPECT_EQ(Missing(flat), "top groups 1/2; ");
  // Nor does a group say how many children it has.
  GroupReading older = Reading(R"([{"id":"a","subGroups":[{"id":"b"}]}])");
  older.Count(1, 2);
  EXPECT_EQ(Missing(older), "");
  older.Count(1, 3);
  EXPECT_EQ(Missing(older), "groups 2/3; ");
  EXPECT_TRUE(older.TakeParents().empty());
}

TEST(KeycloakGroups, AreNotTheSameWhenOthersAreMissing) {
  GroupReading one = Reading(R"([{"id":"a","subGroupCount":0}])");
  GroupReading two = Reading(R"([{"id":"a","subGroupCount":0}])");
  one.Count(2, 2);
  two.Count(3, 3);
  EXPECT_FALSE(one.IsSameAs(two));
  two.Count(2, 2);
  EXPECT_TRUE(one.IsSameAs(two));
  one.Count(1, 1);
  two.Count(1, 5);
  EXPECT_TRUE(one.IsSameAs(two));
}

TEST(KeycloakGroups, AreTheSameInAnyOrder) {
  const GroupReading one =
      Reading(R"([{"id":"a","name":"x","realmRoles":["b","a"],"access":{"view":true}},{"id":"b"}])");
  EXPECT_TRUE(one.IsSameAs(Reading(R"([{"id":"b"},{"realmRoles":["a","b"],"name":"x","id":"a"}])")));
  EXPECT_FALSE(one.IsSameAs(Reading(R"([{"id":"b"},{"realmRoles":["a","b"],"name":"y","id":"a"}])")));
  EXPECT_FALSE(one.IsSameAs(Reading(R"([{"id":"b"}])")));
  EXPECT_FALSE(one.IsSameAs(Reading(R"([{"id":"b"},{"id":"b"},{"realmRoles":["a","b"],"name":"x","id":"a"}])")));
}

TEST(KeycloakGroups, ReportInWords) {
  const auto report = ReadGroupReport(
      R"({"kind":"portal","scope_id":"p1","outcome":"changed","options":{"dry_run":true},
      "counts":{"moved":1,"created":2,"received":3,"path_changed":0,"soft_deleted":1},
      "items":[{"class":"soft_deleted","id":"i","old":{"path":"/a"},"new":null},{"class":"moved","old":{"path":"/b"},"new":{"path":"/c"}},
               {"class":"created","id":"i","old":null,"new":{"path":"/\u001b[2J\u202e\n"}},{"class":"created","id":"i","old":null,"new":null}],
      "replaced":[{"name":"n"}],"affected_users":3,"warnings":[{"message":"w"}],"errors":[{"path_in_input":"$[0]","message":"e"}]})",
      "ops");
  EXPECT_FALSE(report.refused);
  EXPECT_EQ(report.text,
            "Groups of realm ops, portal p1: changed (dry run)\n  1 moved, 2 created, 3 received, 1 soft deleted\n"
            "  soft deleted /a\n  moved /b -> /c\n  created /?[2J? \n  created i\n"
            "  n was deleted and made anew: members are not carried over\n  3 users are in groups that were deleted\n"
            "  warning: w\n  error: $[0]: e\n");
}

TEST(KeycloakGroups, ReportShowsFiftyOfEach) {
  std::string items;
  for (int i = 0; i < 53; ++i) items += std::string(i > 0 ? "," : "") + R"({"class":"created","new":{"path":"/a"}})";
  const auto report = ReadGroupReport(R"({"outcome":"refused","items":[)" + items + "]}", "r");
  EXPECT_TRUE(report.refused);
  EXPECT_NE(report.text.find("  created /a\n  and 3 more, in mfi.sync_runs\n"), std::string::npos);
  EXPECT_EQ(mfi::test::ErrorOf([] { ReadGroupReport("", "r"); }).sqlstate(), sqlstate::kDataCorrupted);
}

Page Events(const std::string& body) { return ReadPage(body, PageKind::kEvents).value(); }

TEST(KeycloakEvents, TimesOfMalformedOnesDoNotCount) {
  EXPECT_TRUE(ComeNewestFirst(Events(R"([{"time":5},{"time":9},{"time":5}])")));
  EXPECT_FALSE(ComeNewestFirst(Events(R"([{"time":5},{"time":6}])")));
  EXPECT_TRUE(ComeNewestFirst(Events("[]")));
  for (const char* odd : {R"("soon")", "1e300", "1e400", "-1", "null", "[9]", "1e15"}) {
    const std::string bad = std::string(R"({"time":)") + odd + "}";
    EXPECT_TRUE(ComeNewestFirst(Events("[{\"time\":6},{\"time\":5}," + bad + "]"))) << odd;
    EXPECT_FALSE(ComeNewestFirst(Events("[" + bad + R"(,{"time":5},{"time":6},)" + bad + "]"))) << odd;
    EXPECT_EQ(OldestTime(Events("[" + bad + R"(,{"time":1700000000123.9},)" + bad + "]")), 1700000000123) << odd;
    EXPECT_FALSE(OldestTime(Events("[" + bad + "]"))) << odd;
  }
  EXPECT_EQ(RealmOf(Events(R"([{},{"realmId":5},{"realmId":"r"},{"realmId":"s"}])")), "r");
  EXPECT_EQ(RealmOf(Events("[{}]")), "");
}

TEST(KeycloakEvents, GoToTheDatabaseOldestFirst) {
  const std::vector<std::string> events = {"5", "4", "3", "2", "1"};
  EXPECT_EQ(OldestFirst(events, 0, 2), "[1,\n2]");
  EXPECT_EQ(OldestFirst(events, 4, 2), "[5]");
  EXPECT_EQ(OldestFirst(events, 5, 2), "[]");
}

TEST(KeycloakEvents, MalformedOnesAreToldWithTheirPlace) {
  const auto report = ReadImportReport(
      R"({"inserted":2,"known":1,"malformed":3,"errors":[{"index":1,"path_in_input":"$[1].time","message":"no time"},
      {"index":0,"path_in_input":"$[0]","message":"m"},{"index":9,"path_in_input":"","message":"\u001b"}]})",
      "[{\"a\" : 1},\n{\"b\": \"\\u202e" + std::string(300, 'x') + "\"}]");
  EXPECT_EQ(report.inserted + 10 * report.known + 100 * report.malformed, 312);
  ASSERT_EQ(report.lines.size(), 3U);
  EXPECT_EQ(report.lines[0], "  malformed: time no time: {\"b\":\"?" + std::string(200 - 7, 'x'));
  EXPECT_EQ(report.lines[1], "  malformed:  m: {\"a\":1}");
  EXPECT_EQ(report.lines[2], "  malformed:  ?: null");
  EXPECT_EQ(mfi::test::ErrorOf([] { ReadImportReport("[]", "[]"); }).sqlstate(), sqlstate::kDataCorrupted);
}

}  // namespace
