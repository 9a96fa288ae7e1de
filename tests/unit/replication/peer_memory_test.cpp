#include "core/replication/peer_memory.h"

#include <gtest/gtest.h>

#include "json_mutation.h"

namespace {

using mfi::core::ParsePeerMemory;
using mfi::core::RememberedPeer;
using mfi::core::ToJson;
using Peers = std::vector<RememberedPeer>;

const Peers kPeers = {{"db-replica", "db_replica", "10.0.0.2", 1'780'000'000}, {"ünï \"x\"", "", "", std::nullopt}};

TEST(PeerMemory, SurvivesWritingAndReading) {
  EXPECT_EQ(ParsePeerMemory(ToJson("node-a", kPeers), "node-a"), kPeers);
  EXPECT_EQ(ParsePeerMemory(ToJson("node-a", {}), "node-a"), Peers{});
}

TEST(PeerMemory, OfAnotherNodeIsNone) { EXPECT_EQ(ParsePeerMemory(ToJson("node-a", kPeers), "node-b"), Peers{}); }

TEST(PeerMemory, ThatCannotBeReadIsNone) {
  const std::string text = ToJson("node-a", kPeers);
  const auto document = nlohmann::json::parse(text);
  for (const auto& place : mfi::test::Places(document)) {
    auto spoiled = document;
    spoiled[place] = nlohmann::json::parse("[[]]");
    EXPECT_EQ(ParsePeerMemory(spoiled.dump(), "node-a"), Peers{}) << place;
  }
  for (std::size_t length = 0; length + 1 < text.size(); ++length) {
    EXPECT_EQ(ParsePeerMemory(text.substr(0, length), "node-a"), Peers{}) << length;
  }
}

}  // namespace
