#include "core/recovery/store_identity.h"

#include "json_mutation.h"

namespace {

using namespace mfi::core;
using namespace mfi::test;

const StoreIdentity kIdentity{"db-5432", "7400000000000000001", 17, 16 * 1024 * 1024, 1'780'000'000};

TEST(StoreIdentityTest, WhatIsWrittenIsReadAgain) {
  EXPECT_EQ(ParseStoreIdentity(ToJson(kIdentity)), kIdentity);
  EXPECT_EQ(WithUnknownMembers(ParseStoreIdentity, ToJson(kIdentity)), ToJson(kIdentity));
}

TEST(StoreIdentityTest, SpoiledFormsAreRefused) {
  ExpectEverySpoiledFormRefused(ParseStoreIdentity, ToJson(kIdentity));
  const auto with = [](const char* name, const nlohmann::json& value) {
    auto document = nlohmann::json::parse(ToJson(kIdentity));
    document[name] = value;
    return Complaint(ParseStoreIdentity, document.dump());
  };
  EXPECT_EQ(with("format", 2), "store.json has format 2, known is 1");
  for (const char* id : {"", "../x", "-1", "123456789012345678901"}) EXPECT_NE(with("system_identifier", id), "") << id;
  for (const int bytes : {0, -1, 1000, 3 * 1024 * 1024, 512 * 1024}) EXPECT_NE(with("segment_bytes", bytes), "");
  EXPECT_NE(with("server_major", 0), "");
}

}  // namespace
