#include "pg/schema/foreign_key_check.h"

#include "pg/server/pg.h"

extern "C" {
#include "executor/executor.h"
}

namespace mfi::pg {
namespace {

ExecutorCheckPerms_hook_type next_hook = nullptr;

// Nobody but that query asks for permissions without raising an error; denied, it gives way to the check by row.
#if PG_VERSION_NUM >= 160000
bool DenyTheQuery(List* tables, List* permissions, bool raise) {
  if (!raise && InSecurityRestrictedOperation()) return false;
  return next_hook == nullptr || next_hook(tables, permissions, raise);
}
#else
bool DenyTheQuery(List* tables, bool raise) {
  if (!raise && InSecurityRestrictedOperation()) return false;
  return next_hook == nullptr || next_hook(tables, raise);
}
#endif

}  // namespace

void CheckForeignKeysByRow() {
  next_hook = ExecutorCheckPerms_hook;
  ExecutorCheckPerms_hook = DenyTheQuery;
}

}  // namespace mfi::pg
