#include "core/replication/peer_identity.h"

#include <gtest/gtest.h>

namespace {

using namespace mfi::core;

KnownPeer Known(const std::string& name, const std::string& slot, const std::string& address, int pid) {
  return {.name = name, .slot_name = slot, .address = address, .pid = pid, .connected = true};
}

Connection From(int pid, const std::string& name, const std::string& slot, const std::string& address) {
  return {.pid = pid, .name = name, .slot_name = slot, .address = address};
}

TEST(PeerIdentity, ASlotThenAnAddressThenAName) {
  const std::vector<KnownPeer> known = {Known("walreceiver", "", "10.0.0.1", 1),
                                        Known("walreceiver", "", "10.0.0.2", 2),
                                        Known("walreceiver", "third", "10.0.0.3", 3)};
  EXPECT_EQ(Recognize(known, {From(9, "walreceiver", "", "10.0.0.2")}), std::vector<int>{1}) << "by its address";
  EXPECT_EQ(Recognize(known, {From(9, "new-name", "third", "10.0.0.9")}), std::vector<int>{2}) << "by its slot";
  EXPECT_EQ(Recognize(known, {From(9, "walreceiver", "fourth", "10.0.0.9")}), std::vector<int>{0})
      << "a slot of its own now, and a name that is known without one";
  EXPECT_EQ(Recognize(known, {From(9, "walreceiver", "", "10.0.0.9")}), std::vector<int>{0}) << "by its name";
  EXPECT_EQ(Recognize(known, {From(9, "other", "", "10.0.0.2")}), std::vector<int>{-1}) << "another name is another";
}

TEST(PeerIdentity, EachIsOneAtMost) {
  const std::vector<KnownPeer> known = {Known("a", "", "10.0.0.1", 1), Known("a", "", "10.0.0.1", 2)};
  EXPECT_EQ(Recognize(known, {From(7, "a", "", "10.0.0.1"), From(2, "a", "", "10.0.0.1")}), (std::vector<int>{0, 1}))
      << "the same connection comes before a new one";
  EXPECT_EQ(
      Recognize(known, {From(7, "a", "", "10.0.0.1"), From(8, "a", "", "10.0.0.1"), From(9, "a", "", "10.0.0.1")}),
      (std::vector<int>{0, 1, -1}));
  EXPECT_EQ(Recognize(known, {}), std::vector<int>{});
  EXPECT_EQ(Recognize({}, {From(7, "a", "", "")}), std::vector<int>{-1});
}

TEST(PeerIdentity, AnOldPidIsNoConnection) {
  KnownPeer missing = Known("a", "", "10.0.0.1", 7);
  missing.was_missing = true;
  EXPECT_EQ(Recognize({missing}, {From(7, "b", "", "10.0.0.2")}), std::vector<int>{-1});
}

/// A standby whose link broke is back beside its old walsender, which ends when it notices.
struct Beside {
  std::vector<KnownPeer> peers = {Known("a", "", "10.0.0.1", 1), Known("a", "", "10.0.0.1", 2)};
  Beside() {
    peers[0].heard_at_us = 100;
    peers[1].came_at_us = 200;
    peers[1].beside = true;
  }
};

TEST(PeerIdentity, AnOldConnectionThatEndsIsNobody) {
  Beside b;
  EXPECT_EQ(OldConnections(b.peers, 1000, 900), (std::vector<bool>{false, false})) << "it is still there";
  EXPECT_TRUE(b.peers[1].beside);
  b.peers[0].connected = false;
  EXPECT_EQ(OldConnections(b.peers, 1000, 900), (std::vector<bool>{true, false}));
  EXPECT_FALSE(b.peers[1].beside);
}

TEST(PeerIdentity, WhoIsHeardBesideTheNewOneIsAnother) {
  Beside b;
  b.peers[0].heard_at_us = 201;
  EXPECT_EQ(OldConnections(b.peers, 1000, 900), (std::vector<bool>{false, false}));
  EXPECT_FALSE(b.peers[1].beside);
  b.peers[0].connected = false;
  EXPECT_EQ(OldConnections(b.peers, 1000, 900), (std::vector<bool>{false, false})) << "and is missing when it goes";
}

TEST(PeerIdentity, WhoIsHeardAndGoesInOneLookIsAnother) {
  Beside b;
  b.peers[0].heard_at_us = 201;
  b.peers[0].connected = false;
  EXPECT_EQ(OldConnections(b.peers, 1000, 900), (std::vector<bool>{false, false}));
}

TEST(PeerIdentity, WhoGoesBeforeItHadToSpeakIsAnother) {
  Beside b;
  b.peers[0].connected = false;
  EXPECT_EQ(OldConnections(b.peers, 999, 900), (std::vector<bool>{false, false}));
}

TEST(PeerIdentity, WhoComesAgainWithASlotIsNoLongerKnownWithoutIt) {
  std::vector<KnownPeer> peers = {Known("a", "", "10.0.0.1", 1), Known("a", "slot", "10.0.0.1", 2)};
  peers[0].connected = false;
  peers[0].was_missing = true;
  peers[0].heard_at_us = 100;
  peers[1].came_at_us = 99;
  EXPECT_EQ(OldConnections(peers, 1000, 900), (std::vector<bool>{false, false})) << "it was there beside it";
  peers[1].came_at_us = 100;
  EXPECT_EQ(OldConnections(peers, 1000, 900), (std::vector<bool>{true, false}));
  peers[1].address = "10.0.0.2";
  EXPECT_EQ(OldConnections(peers, 1000, 900), (std::vector<bool>{false, false})) << "from elsewhere: another";
}

TEST(PeerIdentity, OneThatCameBesideAnotherStandsForOneAlone) {
  Beside b;
  b.peers.push_back(Known("a", "", "10.0.0.1", 3));
  b.peers[0].connected = b.peers[2].connected = false;
  EXPECT_EQ(OldConnections(b.peers, 1000, 900), (std::vector<bool>{true, false, false}));
}

TEST(PeerIdentity, WhoWasMissingBeforeIsNoOldConnection) {
  Beside b;
  b.peers[0].connected = false;
  b.peers[0].was_missing = true;
  EXPECT_EQ(OldConnections(b.peers, 1000, 900), (std::vector<bool>{false, false}));
}

}  // namespace
