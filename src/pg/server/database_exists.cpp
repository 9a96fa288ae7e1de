#include "pg/server/database_exists.h"

extern "C" {
#include "access/genam.h"
#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "utils/snapmgr.h"
}

namespace mfi::pg {

void VisitDatabases(void (*visit)(const FormData_pg_database& row, void* argument), void* argument) {
  Relation relation = table_open(DatabaseRelationId, AccessShareLock);
  TableScanDesc scan = table_beginscan_catalog(relation, 0, nullptr);
  for (HeapTuple tuple = heap_getnext(scan, ForwardScanDirection); tuple != nullptr;
       tuple = heap_getnext(scan, ForwardScanDirection)) {
    visit(*reinterpret_cast<Form_pg_database>(GETSTRUCT(tuple)), argument);
  }
  table_endscan(scan);
  table_close(relation, AccessShareLock);
}

bool DatabaseExists(const char* name) {
  struct Search {
    const char* name;
    bool found;
  } search{name, false};
  StartTransactionCommand();
  (void)GetTransactionSnapshot();
  VisitDatabases(
      [](const FormData_pg_database& row, void* argument) {
        auto* wanted = static_cast<Search*>(argument);
        if (strcmp(NameStr(row.datname), wanted->name) == 0 && row.datallowconn) wanted->found = true;
      },
      &search);
  CommitTransactionCommand();
  return search.found;
}

}  // namespace mfi::pg
