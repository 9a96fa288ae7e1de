#include "core/node/node_place.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/node/settings_text.h"

namespace mfi::core {
namespace {

constexpr char kFirst[] = "db-primary";
constexpr char kSecond[] = "db-replica";

std::string SlotName(std::string node) {
  std::replace(node.begin(), node.end(), '-', '_');
  return node;
}

}  // namespace

std::string NodePlace::Slot() const { return SlotName(node); }

std::string NodePlace::PeerSlot() const { return SlotName(peer); }

std::string NodePlace::PeerServer() const {
  return "host=" + peer + " port=5432 passfile=" + run +
         "/pgpass sslmode=require gssencmode=disable require_auth=scram-sha-256 channel_binding=require "
         "connect_timeout=5";
}

std::string NodePlace::Upstream() const { return PeerServer() + " user=replicator application_name=" + node; }

NodePlace PlaceOfNode(const std::string& root, const std::string& node, bool in_volume) {
  NodePlace place;
  place.node = node;
  place.peer = node == kFirst ? kSecond : kFirst;
  place.volume = root + "var/lib/postgresql/data";
  place.data = in_volume ? place.volume : place.volume + "/pgdata";
  place.run = root + "run/mfi";
  place.backups = root + "backups";
  place.recovery = root + "recovery";
  place.config = root + "etc/mfi/postgresql.conf";
  return place;
}

std::string NodeSettings(const NodePlace& place) {
  return SettingLine("cluster_name", place.node) + SettingLine("primary_conninfo", place.Upstream()) +
         SettingLine("primary_slot_name", place.Slot()) +
         SettingLine("mfi.peer_conninfo", place.PeerServer() + " user=mfi_probe dbname=postgres");
}

std::string RecoverySettings(const NodePlace& place, const std::string& who) {
  const bool replica = who.empty() || who == "replica";
  if (!replica && who != "both" && who != "off") {
    throw Error(sqlstate::kInvalidParameterValue, "MFI_RECOVERY is " + Printable("\"" + who + "\""), {},
                "It may be replica (the default), both or off. Change it in .env, then: docker compose up -d");
  }
  if (who == "off" || (replica && place.node != kSecond)) return {};
  return SettingLine("mfi.recovery_directory", place.recovery);
}

}  // namespace mfi::core
