#include "pg/database_exists.h"

#include "pg/pg.h"

extern "C" {
#include "access/genam.h"
#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "utils/snapmgr.h"
}

namespace mfi::pg {

bool DatabaseExists(const char* name) {
  bool found = false;
  StartTransactionCommand();
  (void)GetTransactionSnapshot();
  Relation relation = table_open(DatabaseRelationId, AccessShareLock);
  TableScanDesc scan = table_beginscan_catalog(relation, 0, nullptr);
  for (HeapTuple tuple = heap_getnext(scan, ForwardScanDirection); tuple != nullptr && !found;
       tuple = heap_getnext(scan, ForwardScanDirection)) {
    const auto* row = reinterpret_cast<Form_pg_database>(GETSTRUCT(tuple));
    found = strcmp(NameStr(row->datname), name) == 0 && row->datallowconn;
  }
  table_endscan(scan);
  table_close(relation, AccessShareLock);
  CommitTransactionCommand();
  return found;
}

}  // namespace mfi::pg
