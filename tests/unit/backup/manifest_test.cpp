#include "core/backup/manifest.h"

#include <gtest/gtest.h>

#include <chrono>

#include "json_mutation.h"
#include "support.h"

namespace {

using mfi::core::Manifest;
using mfi::core::ParseManifest;
using mfi::test::Complaint;
using nlohmann::json;

Manifest Full() {
  Manifest m = mfi::test::SampleManifest(1'780'000'000);
  m.run.attempt = 2;
  m.run.tables = 17;
  m.run.proof_attempts = 2;
  m.run.proof_tried_at = 1'780'000'000;
  m.run.timeline = 3;
  m.run.server_start = 1'779'000'000;
  m.database = {.name = "bank \"of\" mfi",
                .owner = "owner",
                .encoding = "UTF8",
                .locale_provider = "icu",
                .collate = "C",
                .ctype = "C.UTF-8",
                .locale = "de-DE",
                .icu_rules = "&a < g",
                .collation_version = "153.120",
                .acl = std::vector<std::string>{"=Tc/owner", "owner=CTc/owner"},
                .settings = {{"", "work_mem", "64MB"}, {"app/web", "search_path", "\"$user\", mfi"}},
                .connection_limit = 7,
                .comment = "the bank",
                .tablespace = "fast disk",
                .is_template = true,
                .security_labels = {{"dummy", "secret"}, {"selinux", "system_u:object_r:sepgsql_db_t:s0"}}};
  m.server_version = "17.11 (Debian)";
  m.session_settings = {"TimeZone=Africa/Kigali", "bank.currency=RWF"};
  m.session_settings = {"TimeZone=Africa/Kigali", "bank.currency=RWF"};
  m.dump_command = {"pg_dump", "--format=custom", "--dbname=host='/tmp'"};
  m.files.push_back({"bank.dir/toc.dat", std::int64_t{5} << 40, std::string(64, 'a')});
  m.contents.tables = {{16415, "public.users", 12, std::string(32, 'b'), {}, false},
                       {4'294'967'295, "mfi.\"odd \"\" name\"", std::nullopt, std::string(32, 'c'), "mfi.tree", true}};
  m.contents.sequences = {{"public.users_id_seq", -5, std::int64_t{1} << 62}};
  m.contents.large_objects = 3;
  m.contents.large_objects_hash = std::string(32, 'd');
  m.contents.invalid_constraints = {"positive on public.accounts"};
  m.contents.database_bytes = 123'456'789'012;
  m.adopted_from = "7400000000000000009";
  m.held = true;
  m.hold_reason = "audit";
  return m;
}

json Document() { return json::parse(ToJson(Full())); }

/// The complaint about the full document with one place changed.
std::string ComplaintAbout(const char* pointer, const json& value) {
  json changed = Document();
  changed[json::json_pointer(pointer)] = value;
  return Complaint(ParseManifest, changed.dump());
}

TEST(Manifest, SurvivesWritingAndReading) {
  const Manifest full = Full();
  const Manifest read = ParseManifest(ToJson(full));
  EXPECT_EQ(ToJson(read), ToJson(full));
  EXPECT_EQ(read.contents, full.contents);
  EXPECT_EQ(read.run.id, full.run.id);
  EXPECT_EQ(read.database.settings, full.database.settings);
  EXPECT_EQ(read.database.security_labels, full.database.security_labels);
  EXPECT_EQ(read.database.locale, "de-DE");
  EXPECT_EQ(read.files.at(2).bytes, std::int64_t{5} << 40);
  EXPECT_EQ(read.files.at(2).sha256, std::string(64, 'a'));
  EXPECT_TRUE(read.held);
  EXPECT_EQ(read.hold_reason, "audit");
  EXPECT_EQ(read.adopted_from, full.adopted_from);
}

TEST(Manifest, EveryValueIsReadUnderItsName) {
  const json document = Document();
  for (const auto& place : mfi::test::Places(document)) {
    if (document[place].is_structured() || document[place].is_null()) continue;
    json without = document;
    without[place] = nullptr;
    if (Complaint(ParseManifest, without.dump()).empty()) {
      EXPECT_TRUE(ToJson(ParseManifest(without.dump())) != ToJson(Full())) << place;
    }
  }
}

TEST(Manifest, PropertiesAreReadAsEarlierVersionsWroteThem) {
  json document = Document();
  json& database = document["database"];
  for (const char* later :
       {"icu_rules", "connection_limit", "comment", "privileges", "tablespace", "is_template", "security_labels"}) {
    database.erase(later);
  }
  database["acl"] = {"=Tc/owner"};
  database["settings"] = {"/TimeZone=UTC", "app/bank.rate=a=b/c", "\"app/\"\"web\"/work_mem=1MB"};
  Manifest read = ParseManifest(document.dump());
  EXPECT_EQ(read.database.settings,
            (std::vector<mfi::core::DatabaseSetting>{
                {"", "TimeZone", "UTC"}, {"app", "bank.rate", "a=b/c"}, {"app/\"web", "work_mem", "1MB"}}));
  EXPECT_EQ(read.database.acl, (std::vector<std::string>{"=Tc/owner"}));
  EXPECT_EQ(read.database.connection_limit, -1);
  EXPECT_EQ(read.database.comment + read.database.icu_rules + read.database.tablespace, "");
  EXPECT_FALSE(read.database.is_template);
  EXPECT_TRUE(read.database.security_labels.empty());
  database["acl"] = json::array();
  EXPECT_EQ(ParseManifest(document.dump()).database.acl, std::nullopt);
  for (const char* none : {"", "/", "app", "app/name", "\"app/name=value", "\"app\"name=value"}) {
    database["settings"] = {none};
    EXPECT_EQ(Complaint(ParseManifest, document.dump()), "\"" + std::string(none) + "\" is no setting");
  }
}

TEST(Manifest, NoPrivilegesAreNotThoseOfEveryDatabase) {
  Manifest m = Full();
  m.database.acl = std::vector<std::string>();
  EXPECT_EQ(ParseManifest(ToJson(m)).database.acl, std::vector<std::string>());
  m.database.acl.reset();
  EXPECT_EQ(ParseManifest(ToJson(m)).database.acl, std::nullopt);
}

TEST(Manifest, NamesOfAnyBytesComeBack) {
  const std::string latin = "caf\xe9 \xf4\x8f\xbf\xa9 \xc3\xa9 \x80\xff";
  Manifest m = Full();
  m.database.name = m.database.owner = m.database.comment = latin;
  m.database.settings = {{latin, "bank.name", latin}};
  m.contents.tables[0].name = latin;
  m.contents.sequences[0].name = latin;
  m.contents.invalid_constraints = {latin};
  const std::string text = ToJson(m);
  const Manifest read = ParseManifest(text);
  EXPECT_EQ(read.database.name, latin);
  EXPECT_EQ(read.database.comment, latin);
  EXPECT_EQ(read.database.settings, m.database.settings);
  EXPECT_EQ(read.contents, m.contents);
  EXPECT_EQ(ToJson(read), text);
}

TEST(Manifest, UnknownMembersAreIgnored) {
  EXPECT_EQ(mfi::test::WithUnknownMembers(ParseManifest, ToJson(Full())), ToJson(Full()));
}

TEST(Manifest, SpoiledOnesAreRefused) {
  mfi::test::ExpectEverySpoiledFormRefused(ParseManifest, ToJson(Full()));
  EXPECT_EQ(ComplaintAbout("/contents/tables/0", 5), "member \"tables\" is not an array of objects");
  EXPECT_EQ(ComplaintAbout("/contents/sequences/0", "x"), "member \"sequences\" is not an array of objects");
  EXPECT_EQ(ComplaintAbout("/files/1", true), "member \"files\" is not an array of objects");
  EXPECT_EQ(ComplaintAbout("/database/acl/1", 1), "member \"acl\" is not an array of strings");
  EXPECT_EQ(ComplaintAbout("/contents", json::array()), "member \"contents\" is not an object");
  EXPECT_EQ(ComplaintAbout("/files", json::object()), "member \"files\" is not an array");
  EXPECT_EQ(ComplaintAbout("/hold", true), "member \"hold\" is not an object");
}

TEST(Manifest, OnlyKnownFormatsAreRead) {
  EXPECT_EQ(ComplaintAbout("/format", 0), "the manifest has format 0, known are 1 to 1");
  EXPECT_EQ(ComplaintAbout("/format", 2), "the manifest has format 2, known are 1 to 1");
  EXPECT_EQ(ComplaintAbout("/format", nullptr), "the manifest has format 0, known are 1 to 1");
}

TEST(Manifest, NeedsAnIdAndFiles) {
  EXPECT_EQ(ComplaintAbout("/run/id", "../bank"), "the manifest has the id \"../bank\"");
  EXPECT_EQ(ComplaintAbout("/run", nullptr), "member \"id\" is missing");
  EXPECT_EQ(ComplaintAbout("/files", json::array()), "the manifest names no files");
  EXPECT_EQ(ComplaintAbout("/files", nullptr), "the manifest names no files");
}

TEST(Manifest, AFileOutsideTheSetIsRefused) {
  for (const char* name : {"", "/etc/passwd", "..", "../x", "a/../../x", "a/.."}) {
    EXPECT_EQ(ComplaintAbout("/files/0/name", name), "a file of the set has the name \"" + std::string(name) + "\"");
  }
  EXPECT_EQ(ComplaintAbout("/files/0/name", nullptr), "a file of the set has the name \"\"");
}

TEST(Manifest, AFileMayHaveTwoDotsInItsName) {
  for (const char* name : {"a..b.dump", "..a", "a..", "bank.dir/..x", "..."}) {
    EXPECT_EQ(ComplaintAbout("/files/1/name", name), "") << name;
  }
}

TEST(Manifest, AnArchiveOutsideTheSetIsRefused) {
  const std::string id = Full().run.id;
  for (const std::string& path : {std::string(), id, id + "/", id + "/..", id + "/../other/bank.dump",
                                  id + "x/bank.dump", std::string("/etc/passwd"), std::string("x")}) {
    EXPECT_EQ(ComplaintAbout("/run/path", path), "the set has its archive at \"" + path + "\"");
  }
}

TEST(Manifest, HoldIsAnObjectOrNull) {
  Manifest m = Full();
  m.held = false;
  EXPECT_TRUE(json::parse(ToJson(m)).at("hold").is_null());
  EXPECT_FALSE(ParseManifest(ToJson(m)).held);
  m.held = true;
  m.hold_reason.clear();
  EXPECT_TRUE(ParseManifest(ToJson(m)).held);
  json without_reason = Document();
  without_reason["hold"] = json::object();
  EXPECT_TRUE(ParseManifest(without_reason.dump()).held);
  without_reason.erase("hold");
  EXPECT_FALSE(ParseManifest(without_reason.dump()).held);
}

TEST(Manifest, GiantAndDeepTextsAreRefusedQuickly) {
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(Complaint(ParseManifest, std::string(60'000'000, '[')), "the manifest is too large");
  EXPECT_EQ(Complaint(ParseManifest, std::string(16'000'000, '[')), "the manifest is nested too deeply");
  EXPECT_EQ(Complaint(ParseManifest, "{\"a\": " + std::string(16'000'000, '{')), "the manifest is nested too deeply");
  std::string pairs = "{\"later\": ";
  for (int i = 0; i < 20; ++i) pairs += "{\"[[[[\\\"[[[[\": [";
  EXPECT_EQ(Complaint(ParseManifest, pairs), "the manifest is nested too deeply");
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5));
}

TEST(Manifest, TheArchiveIsAmongTheFiles) {
  const std::string set = Full().run.id + "/";
  EXPECT_EQ(ComplaintAbout("/run/path", set + "bank.dir"), "");
  EXPECT_EQ(ComplaintAbout("/run/path", set + "globals.sql"), "");
  for (const char* archive : {"other.dump", "bank", "bank.dir/", "bank.dir/toc", "bank.dum", "manifest.json",
                              "manifest.json.tmp", "globals.sql/x", "./bank.dump"}) {
    EXPECT_EQ(ComplaintAbout("/run/path", set + archive),
              "the set's archive \"" + set + archive + "\" is not among its files");
  }
  // Nor is a manifest, which the set's digests cannot cover, ever one of them.
  for (const std::string name : {"manifest.json", "manifest.json.tmp"}) {
    EXPECT_EQ(ComplaintAbout("/files/1/name", name), "a file of the set has the name \"" + name + "\"");
  }
  EXPECT_EQ(ComplaintAbout("/files/1/name", "bank.dir/manifest.json"), "");
}

TEST(Manifest, BracketsInStringsAreNoDepth) {
  Manifest m = Full();
  m.hold_reason = std::string(1000, '[') + "\"\\" + std::string(1000, '{');
  EXPECT_EQ(ParseManifest(ToJson(m)).hold_reason, m.hold_reason);
}

TEST(Manifest, OfFiftyThousandTablesIsRead) {
  Manifest m = Full();
  for (unsigned i = 0; i < 50'000; ++i) {
    const std::string number = std::to_string(100'000 + i);
    m.contents.tables.push_back(
        {i, "a_schema_of_the_bank.a_table_with_a_long_name_" + number, std::int64_t{1} << 40, std::string(32, 'f')});
    m.files.push_back({"a_database.dir/" + number + ".dat.zst", std::int64_t{1} << 40, std::string(64, 'a')});
  }
  const std::string text = ToJson(m);
  EXPECT_LT(static_cast<std::int64_t>(text.size()), mfi::core::kMaxManifestBytes) << text.size();
  EXPECT_EQ(ParseManifest(text).files.size(), m.files.size());
  RecordProperty("bytes", std::to_string(text.size()));
  std::printf("manifest of 50,000 tables: %zu bytes\n", text.size());
}

}  // namespace
