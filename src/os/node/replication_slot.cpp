#include "os/node/replication_slot.h"

#include "core/base/names.h"

namespace mfi::os {

SlotState StateOfSlot(Connection& primary, const std::string& slot) {
  const std::vector<Row> rows = primary.Query(
      "SELECT wal_status FROM pg_catalog.pg_replication_slots WHERE slot_name = " + core::SqlLiteral(slot));
  if (rows.empty()) return SlotState::kMissing;
  return rows[0].at(0) == "lost" ? SlotState::kLost : SlotState::kKept;
}

void MakeSlot(Connection& primary, const std::string& slot) {
  const std::string name = core::SqlLiteral(slot);
  primary.Execute(
      "SELECT pg_catalog.pg_drop_replication_slot(slot_name) FROM pg_catalog.pg_replication_slots WHERE slot_name = " +
      name + " AND wal_status = 'lost' AND NOT active");
  primary.Execute("SELECT pg_catalog.pg_create_physical_replication_slot(" + name +
                  ", true) WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_replication_slots WHERE slot_name = " + name +
                  ")");
}

}  // namespace mfi::os
