#include "core/node/node_place.h"

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace {

using namespace mfi::core;

TEST(NodePlace, EachNodeHasTheOtherOne) {
  const NodePlace first = PlaceOfNode("/", "db-primary", false);
  const NodePlace second = PlaceOfNode("/", "db-replica", true);
  EXPECT_EQ(first.peer + " " + second.peer, "db-replica db-primary");
  EXPECT_EQ(first.Slot() + " " + first.PeerSlot(), "db_primary db_replica");
  EXPECT_EQ(first.data + " " + second.data, "/var/lib/postgresql/data/pgdata /var/lib/postgresql/data");
  EXPECT_EQ(PlaceOfNode("/", "3f2a", false).peer, "db-primary");
}

TEST(NodePlace, EveryConnectionToTheOtherNodeDemandsBothProofs) {
  const NodePlace place = PlaceOfNode("/", "db-replica", false);
  const std::string server =
      "host=db-primary port=5432 passfile=/run/mfi/pgpass sslmode=require gssencmode=disable "
      "require_auth=scram-sha-256 channel_binding=require connect_timeout=5";
  EXPECT_EQ(place.PeerServer(), server);
  EXPECT_EQ(NodeSettings(place), "cluster_name = 'db-replica'\nprimary_conninfo = '" + server +
                                     " user=replicator application_name=db-replica'\nprimary_slot_name = 'db_replica'\n"
                                     "mfi.peer_conninfo = '" +
                                     server + " user=mfi_probe dbname=postgres'\n");
}

TEST(NodePlace, RecoveryIsOfTheReplicaOfBothOrOfNone) {
  const NodePlace first = PlaceOfNode("/", "db-primary", false);
  const NodePlace second = PlaceOfNode("/", "db-replica", false);
  const std::string on = "mfi.recovery_directory = '/recovery'\n";
  const std::string cases[][3] = {{"", "", on}, {"replica", "", on}, {"both", on, on}, {"off", "", ""}};
  for (const auto& [who, of_first, of_second] : cases) {
    EXPECT_EQ(RecoverySettings(first, who), of_first) << who;
    EXPECT_EQ(RecoverySettings(second, who), of_second) << who;
  }
}

TEST(NodePlace, AnotherWordForRecoveryIsRefusedWithTheRightOnes) {
  const NodePlace place = PlaceOfNode("/", "db-primary", false);
  for (const char* word : {"Replica", "on", " off", "primary\n"}) {
    try {
      RecoverySettings(place, word);
      ADD_FAILURE() << word;
    } catch (const Error& error) {
      EXPECT_EQ(std::string(error.what()).rfind("MFI_RECOVERY is \"", 0), 0U) << error.what();
      EXPECT_EQ(error.hint().rfind("It may be replica (the default), both or off. ", 0), 0U) << error.hint();
    }
  }
}

}  // namespace
