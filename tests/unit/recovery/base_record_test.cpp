#include "core/recovery/base_record.h"

#include <gtest/gtest.h>

#include "json_mutation.h"
#include "sample_base.h"

namespace {

using namespace mfi::core;
using mfi::test::Complaint;
using mfi::test::SampleBase;
using nlohmann::json;

constexpr UtcSeconds kAt = 1'780'000'000;

BaseRecord Whole() {
  BaseRecord base = SampleBase(kAt + 60, 0x2000028, BaseId(kAt, true));
  base.source_role = "standby";
  base.timeline = 4'294'967'295;
  base.end = 0xFFFFFFFFFFFFFFFF;
  base.data_bytes = std::int64_t{5} << 40;
  base.stored_bytes = 123'456'789'012;
  base.tablespaces = {{16384, "/srv/fast \"disk\""}, {4'294'967'295, "pg_tblspc/4294967295"}};
  base.configuration = {"postgresql.conf", "pg_hba.conf"};
  base.verified_at = kAt + 70;
  base.drilled_at = kAt + 80;
  base.drill_result = "it did not start";
  base.remark = "a full one";
  return base;
}

std::string With(const char* name, const json& value) {
  json document = json::parse(ToJson(Whole()));
  document[name] = value;
  return document.dump();
}

bool Refused(const char* name, const json& value) { return !Complaint(ParseBaseRecord, With(name, value)).empty(); }

TEST(BaseRecord, IsReadAsItWasWritten) {
  EXPECT_EQ(ParseBaseRecord(ToJson(Whole())), Whole());
  const BaseRecord little = SampleBase(kAt, 1);
  EXPECT_EQ(ParseBaseRecord(ToJson(little)), little);
}

TEST(BaseRecord, EverySpoiledFormIsRefused) {
  mfi::test::ExpectEverySpoiledFormRefused(ParseBaseRecord, ToJson(Whole()));
  EXPECT_NE(Complaint(ParseBaseRecord, std::string(kMaxBaseRecordBytes, ' ') + ToJson(Whole())), "");
}

TEST(BaseRecord, WhatALaterVersionAddsIsPassedOver) {
  EXPECT_EQ(mfi::test::WithUnknownMembers(ParseBaseRecord, ToJson(Whole())), ToJson(Whole()));
  EXPECT_EQ(Complaint(ParseBaseRecord, With("format", 2)), "format 2 of a base's record is not known");
}

TEST(BaseRecord, NoTextLeadsElsewhere) {
  for (const char* id : {"../20260528T202640Z-full", "20260528T202640Z-full/", "..", "", "20260528T202640Z-Full",
                         "20260528T202640Z-full ", "20261340T202640Z-full", "2026-05-28T20:26:4-full"}) {
    EXPECT_FALSE(IsBaseId(id)) << id;
    EXPECT_TRUE(Refused("id", id)) << id;
    EXPECT_TRUE(Refused("parent", id)) << id;
  }
  EXPECT_FALSE(IsBaseId(std::string_view("20260528T202640Z-full\0", 22)));
  for (const std::string& name : {std::string(".."), std::string("."), std::string(".hidden"), std::string("a/b"),
                                  std::string("/etc"), std::string(), std::string("a\nb"), std::string("a\0b", 3)}) {
    EXPECT_TRUE(Refused("node", name)) << name;
    EXPECT_TRUE(Refused("configuration", json::array({name}))) << name;
  }
  for (const char* location :
       {"relative", "", "/srv/../etc", "/srv/..", "pg_tblspc/16385", "pg_tblspc/16384/..", "/a\nb"}) {
    EXPECT_TRUE(Refused("tablespaces", json::array({{{"oid", 16384}, {"location", location}}}))) << location;
  }
  for (const char* system : {"", "-1", "7/..", "740000000000000000001"}) {
    EXPECT_TRUE(Refused("system_identifier", system)) << system;
  }
}

TEST(BaseRecord, WhatCannotBeIsRefused) {
  EXPECT_TRUE(Refused("parent", BaseId(kAt + 60, false)));
  EXPECT_TRUE(Refused("parent", nullptr));
  EXPECT_TRUE(Refused("id", BaseId(kAt + 60, true))) << "a full one with a parent";
  for (const json& bytes :
       {json(0), json(-1), json(1024 * 1024 - 1), json(3 * 1024 * 1024), json(std::int64_t{1} << 31)}) {
    EXPECT_TRUE(Refused("segment_bytes", bytes)) << bytes;
  }
  for (const json& number : {json(0), json(-1), json(std::int64_t{1} << 32), json(1e300)}) {
    EXPECT_TRUE(Refused("timeline", number)) << number;
    EXPECT_TRUE(Refused("tablespaces", json::array({{{"oid", number}, {"location", "/a"}}}))) << number;
  }
  EXPECT_TRUE(
      Refused("tablespaces", json::array({{{"oid", 1}, {"location", "/a"}}, {{"oid", 1}, {"location", "/b"}}})));
  EXPECT_TRUE(Refused("start", "0/0"));
  EXPECT_TRUE(Refused("end", "0/1"));
  EXPECT_TRUE(Refused("data_bytes", -1));
  EXPECT_TRUE(Refused("source_role", "Primary"));
  EXPECT_TRUE(Refused("superuser", ""));
  EXPECT_TRUE(Refused("finished_at", nullptr));
}

TEST(BaseRecord, AnIdIsOneOfItsTime) {
  EXPECT_EQ(BaseId(kAt, true), "20260528T202640Z-full");
  EXPECT_EQ(BaseId(kAt, false), "20260528T202640Z-incr");
  EXPECT_TRUE(IsBaseId(BaseId(kAt, false)));
}

TEST(BaseChain, IsTheFullOneAndAllUpToIt) {
  const BaseRecord full = SampleBase(kAt, 1);
  const BaseRecord first = SampleBase(kAt + 1, 2, full.id);
  const BaseRecord second = SampleBase(kAt + 2, 3, first.id);
  EXPECT_EQ(ChainOf({second, full, first}, second.id), (std::vector{full, first, second}));
  EXPECT_EQ(ChainOf({second, full, first}, full.id), std::vector{full});
  EXPECT_TRUE(ChainOf({second, full}, second.id).empty());
  EXPECT_TRUE(ChainOf({first}, "").empty());
  BaseRecord foreign = full;
  foreign.system_identifier = "1";
  EXPECT_TRUE(ChainOf({foreign, first}, first.id).empty());
}

TEST(BaseChain, ACircleIsNone) {
  BaseRecord one = SampleBase(kAt, 1, BaseId(kAt + 1, false));
  const BaseRecord two = SampleBase(kAt + 1, 1, one.id);
  EXPECT_TRUE(ChainOf({one, two}, two.id).empty());
  one.parent = one.id;
  EXPECT_TRUE(ChainOf({one, two}, two.id).empty());
}

}  // namespace
