#include "pg/server/own_locks.h"

#include "pg/server/pg.h"

extern "C" {
#include "commands/dbcommands.h"
#include "storage/lock.h"
#include "utils/lsyscache.h"
}

namespace mfi::pg {

void RefuseOwnLocks(const char* database, const char* who, const char* hint) {
  const Oid target = get_database_oid(database, true);
  const LockData* locks = GetLockStatusData();
  for (int i = 0; i < locks->nelements; ++i) {
    const LockInstanceData& held = locks->locks[i];
    const bool own = held.pid == MyProcPid && held.locktag.locktag_type == LOCKTAG_RELATION;
    if (!own || held.locktag.locktag_field1 != target) continue;
    if ((held.holdMask & LOCKBIT_ON(AccessExclusiveLock)) == 0) continue;
    const char* name = target == MyDatabaseId ? get_rel_name(held.locktag.locktag_field2) : nullptr;
    ereport(ERROR, (errcode(ERRCODE_OBJECT_IN_USE), errmsg("this transaction holds a lock that %s would wait for", who),
                    errdetail("It locks \"%s\" in ACCESS EXCLUSIVE mode.", name == nullptr ? "a relation" : name),
                    errhint("%s", hint)));
  }
}

}  // namespace mfi::pg
