#include "core/recovery/backup_manifest.h"

#include <gtest/gtest.h>

#include "json_mutation.h"

namespace {

using namespace mfi::core;
using mfi::test::Complaint;
using nlohmann::json;

json Document() {
  return json::parse(R"({"PostgreSQL-Backup-Manifest-Version": 2,
    "System-Identifier": 18446744073709551615,
    "Files": [{"Path": "backup_label", "Size": 227, "Last-Modified": "2026-11-26 21:18:09 GMT",
               "Checksum-Algorithm": "SHA256", "Checksum": "00"},
              {"Encoded-Path": "ff2f", "Size": 8192}],
    "WAL-Ranges": [{"Timeline": 2, "Start-LSN": "0/3000000", "End-LSN": "0/3000120"},
                   {"Timeline": 1, "Start-LSN": "0/2000028", "End-LSN": "0/3000000"}],
    "Manifest-Checksum": "98"})");
}

template <typename Change>
std::string ComplaintAbout(Change change) {
  json document = Document();
  change(document);
  return Complaint(ParseBackupManifest, document.dump());
}

TEST(BackupManifest, SaysWhatABaseIs) {
  const BackupManifest manifest = ParseBackupManifest(Document().dump());
  const BackupManifest expected{.version = 2,
                                .system_identifier = "18446744073709551615",
                                .timeline = 2,
                                .start = 0x2000028,
                                .end = 0x3000120,
                                .files = 2,
                                .data_bytes = 8419};
  EXPECT_EQ(manifest, expected);
}

TEST(BackupManifest, OfVersionOneHasNoSystemIdentifier) {
  json document = Document();
  document["PostgreSQL-Backup-Manifest-Version"] = 1;
  document.erase("System-Identifier");
  EXPECT_EQ(ParseBackupManifest(document.dump()).system_identifier, "");
  document["PostgreSQL-Backup-Manifest-Version"] = 2;
  EXPECT_EQ(Complaint(ParseBackupManifest, document.dump()), "the backup manifest has no system identifier");
  document["PostgreSQL-Backup-Manifest-Version"] = 3;
  EXPECT_EQ(Complaint(ParseBackupManifest, document.dump()), "the backup manifest is of no version that is known");
}

TEST(BackupManifest, ATextThatEndsAnywhereIsRefused) {
  const std::string text = Document().dump();
  for (std::size_t length = 0; length < text.size(); ++length) {
    EXPECT_NE(Complaint(ParseBackupManifest, text.substr(0, length)), "") << length;
  }
  for (const char* other : {"null", "[]", "7", "\"text\"", "{} {}", "{}", "\xff\xfe"}) {
    EXPECT_NE(Complaint(ParseBackupManifest, other), "") << other;
  }
  EXPECT_NE(Complaint(ParseBackupManifest, text + " {}"), "");
}

TEST(BackupManifest, AnotherTypeOfWhatIsNeededIsRefused) {
  const std::vector<const char*> needed = {"/PostgreSQL-Backup-Manifest-Version",
                                           "/System-Identifier",
                                           "/Files",
                                           "/Files/0",
                                           "/Files/0/Size",
                                           "/WAL-Ranges",
                                           "/WAL-Ranges/1",
                                           "/WAL-Ranges/1/Timeline",
                                           "/WAL-Ranges/1/Start-LSN",
                                           "/WAL-Ranges/1/End-LSN"};
  for (const char* place : needed) {
    for (const char* value : {"null", "true", "-1", "1.5", "1e400", "\"\"", "[[]]", "{}", "99999999999999999999"}) {
      json document = Document();
      const std::string marked = (document[json::json_pointer(place)] = "HERE", document.dump());
      const std::size_t at = marked.find("\"HERE\"");
      const std::string spoiled = marked.substr(0, at) + value + marked.substr(at + 6);
      EXPECT_NE(Complaint(ParseBackupManifest, spoiled), "") << place << " " << value;
    }
  }
}

TEST(BackupManifest, WhatCannotBeIsRefused) {
  EXPECT_NE(ComplaintAbout([](json& d) { d["WAL-Ranges"] = json::array(); }), "");
  EXPECT_NE(ComplaintAbout([](json& d) { d["WAL-Ranges"][0]["End-LSN"] = "0/1"; }), "");
  EXPECT_NE(ComplaintAbout([](json& d) { d["WAL-Ranges"][0]["Timeline"] = std::int64_t{1} << 32; }), "");
  EXPECT_NE(ComplaintAbout([](json& d) { d["Files"][0]["Size"] = INT64_MAX; }), "") << "more than can be counted";
  EXPECT_NE(ComplaintAbout([](json& d) { d["Files"][0].erase("Size"); }), "");
}

TEST(BackupManifest, WhatALaterVersionAddsIsPassedOver) {
  json document = Document();
  document["New"] = "text";
  document["Files"][0]["New"] = nullptr;
  document["Others"] = json::array({1, "two", json::object()});
  EXPECT_EQ(ParseBackupManifest(document.dump()), ParseBackupManifest(Document().dump()));
}

TEST(BackupManifest, NestingWithoutEndIsRefused) {
  EXPECT_NE(Complaint(ParseBackupManifest, R"({"New": )" + std::string(1'000'000, '[')), "");
}

TEST(BackupManifest, OneThatIsTooLargeIsRefusedUnread) {
  EXPECT_EQ(Complaint(ParseBackupManifest, std::string(kMaxBackupManifestBytes + 1, ' ')),
            "the backup manifest is too large");
}

}  // namespace
