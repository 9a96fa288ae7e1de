#include "core/backup/run_record.h"

#include <gtest/gtest.h>

#include "json_mutation.h"
#include "support.h"

namespace {

using mfi::core::ParseRunRecord;
using mfi::core::ParseRunState;
using mfi::core::RunRecord;
using mfi::core::RunState;
using mfi::test::Complaint;

RunRecord Full() {
  RunRecord r = mfi::test::SampleRun(1'780'000'000, RunState::kVerifying);
  r.note = "before the \"release\"\nof ünï";
  r.slot_key = "2026-05-28T02:00";
  r.schedule_id = "0 2 * * * UTC";
  r.attempt = 3;
  r.server_start = 1'779'000'000;
  r.started_at = 1'780'000'001;
  r.finished_at = 1'780'000'100;
  r.system_identifier = "7400000000000000001";
  r.source_node = "node-b";
  r.source_role = "standby";
  r.source_lag_bytes = 4096;
  r.snapshot_lsn = "16/B374D848";
  r.snapshot = "740:745:740,742";
  r.timeline = 7;
  r.extension_version = "1.0";
  r.schema_version = "1.0.1";
  r.size_bytes = std::int64_t{5} << 40;
  r.path = r.id + "/bank.dump";
  r.tables = 17;
  r.verify_method = mfi::core::VerifyMethod::kRestore;
  r.verify_result = "ok";
  r.proof_sandbox = "whole";
  r.proof_attempts = 2;
  r.proof_tried_at = 1'780'000'000;
  r.verified_at = 1'780'000'200;
  r.error = "nothing";
  return r;
}

TEST(RunRecord, StatesHaveNamesAndAnEnd) {
  std::string final_ones;
  for (int i = 0; i <= static_cast<int>(RunState::kMissing); ++i) {
    const auto state = static_cast<RunState>(i);
    EXPECT_EQ(ParseRunState(ToString(state)), state);
    if (IsFinal(state)) final_ones += ToString(state) + " ";
  }
  EXPECT_EQ(final_ones, "succeeded failed cancelled expired missing ");
  EXPECT_EQ(ParseRunState("Queued"), std::nullopt);
  EXPECT_EQ(ParseRunState("unknown"), std::nullopt);
  EXPECT_EQ(ToString(static_cast<RunState>(99)), "unknown");
}

TEST(RunRecord, SurvivesWritingAndReading) {
  const RunRecord full = Full();
  const RunRecord read = ParseRunRecord(ToJson(full));
  EXPECT_EQ(ToJson(read), ToJson(full));
  EXPECT_EQ(read.note, full.note);
  EXPECT_EQ(read.state, RunState::kVerifying);
  EXPECT_EQ(read.server_start, full.server_start);
  EXPECT_EQ(read.source_lag_bytes, 4096);
  EXPECT_EQ(read.size_bytes, full.size_bytes);
  EXPECT_EQ(read.verified_at, full.verified_at);
  EXPECT_EQ(read.tables, 17);
}

TEST(RunRecord, EveryMemberIsWrittenAndReadUnderItsName) {
  const auto document = nlohmann::json::parse(ToJson(Full()));
  EXPECT_EQ(document.size(), 32U);
  for (const auto& [name, value] : document.items()) {
    EXPECT_FALSE(value.is_null()) << name;
    auto without = document;
    without.erase(name);
    const std::string complaint = Complaint(ParseRunRecord, without.dump());
    if (name == "id" || name == "state" || name == "queued_at") {
      EXPECT_NE(complaint.find("\"" + name + "\""), std::string::npos) << complaint;
    } else {
      EXPECT_EQ(complaint, "") << name;
      EXPECT_NE(ToJson(ParseRunRecord(without.dump())), ToJson(Full())) << name;
    }
  }
}

TEST(RunRecord, EmptyOnesAreNullAndStayUnset) {
  const RunRecord few = mfi::test::SampleRun(1'780'000'000);
  const RunRecord read = ParseRunRecord(ToJson(few));
  EXPECT_EQ(ToJson(read), ToJson(few));
  EXPECT_EQ(read.started_at, std::nullopt);
  EXPECT_EQ(read.size_bytes, std::nullopt);
  EXPECT_TRUE(nlohmann::json::parse(ToJson(few)).at("note").is_null());
}

TEST(RunRecord, UnknownMembersAreIgnored) {
  EXPECT_EQ(mfi::test::WithUnknownMembers(ParseRunRecord, ToJson(Full())), ToJson(Full()));
}

TEST(RunRecord, SpoiledOnesAreRefused) { mfi::test::ExpectEverySpoiledFormRefused(ParseRunRecord, ToJson(Full())); }

TEST(RunRecord, WrongValuesAreNamed) {
  const auto document = nlohmann::json::parse(ToJson(Full()));
  const auto complain = [&](const char* name, const nlohmann::json& value) {
    auto spoiled = document;
    spoiled[name] = value;
    return Complaint(ParseRunRecord, spoiled.dump());
  };
  EXPECT_EQ(complain("id", ""), "member \"id\" is missing");
  EXPECT_EQ(complain("state", "done"), "member \"state\" is no state of a run: \"done\"");
  EXPECT_EQ(complain("queued_at", nullptr), "member \"queued_at\" is missing");
  EXPECT_EQ(complain("queued_at", "yesterday"), "member \"queued_at\" is not a timestamp");
  EXPECT_EQ(complain("finished_at", "2026-02-30T00:00:00Z"), "member \"finished_at\" is not a timestamp");
  EXPECT_EQ(complain("attempt", std::int64_t{1} << 31), "member \"attempt\" is not a 32-bit integer");
  EXPECT_EQ(complain("timeline", -(std::int64_t{1} << 40)), "member \"timeline\" is not a 32-bit integer");
  EXPECT_EQ(complain("attempt", 1.5), "member \"attempt\" is not an integer");
  EXPECT_EQ(complain("size_bytes", "5"), "member \"size_bytes\" is not an integer");
  EXPECT_EQ(complain("size_bytes", ~std::uint64_t{0}), "member \"size_bytes\" is not an integer");
}

TEST(RunRecord, AMethodOfALaterVersionIsNotKnown) {
  auto document = nlohmann::json::parse(ToJson(Full()));
  for (const char* known : {"restore", "list", "none"}) {
    document["verify_method"] = known;
    EXPECT_EQ(mfi::core::ToString(ParseRunRecord(document.dump()).verify_method), known);
  }
  document["verify_method"] = "oracle";
  EXPECT_FALSE(ParseRunRecord(document.dump()).verify_method);
  EXPECT_EQ(mfi::core::ToString(std::nullopt), "");
}

TEST(RunRecord, TextThatIsNoUtf8IsReplacedNotRefused) {
  RunRecord r = Full();
  r.error = "pg_dump said \xff";
  EXPECT_EQ(ParseRunRecord(ToJson(r)).error, "pg_dump said \uFFFD");
}

TEST(RunRecord, AHugeTextIsRefused) {
  EXPECT_EQ(Complaint(ParseRunRecord, std::string(64 * 1024 * 1024 + 1, ' ')), "the run record is too large");
}

}  // namespace
