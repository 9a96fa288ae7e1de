#include "core/node/node_place.h"

#include <gtest/gtest.h>

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

}  // namespace
