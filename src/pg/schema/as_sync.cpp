#include "pg/server/bridge.h"

extern "C" {
#include "catalog/pg_extension.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(mfi_group_sync);
PG_FUNCTION_INFO_V1(mfi_event_import);
PG_FUNCTION_INFO_V1(mfi_one_at_a_time);
}

// Group syncs and event imports. Whoever owns a table decides what reading or writing it calls: triggers, checks, index
// expressions. All of it runs as mfi_sync, a role that nobody can be and that owns nothing, in an operation that the
// server keeps from leaving anything in the caller's session or for the end of its transaction.
//
// Plain frames, without the bridge: an error goes through as it is, with the whole list of mistakes in its detail. It
// leaves user and settings to the transaction's (or subtransaction's) abort, which puts both back.
namespace mfi::pg {
namespace {

void Run(const char* command) {
  const int result = SPI_execute(command, false, 0);
  if (result < 0) elog(ERROR, "could not execute (%s): %s", SPI_result_code_string(result), command);
}

/// A function of the same schema as the called one.
const char* Beside(FunctionCallInfo fcinfo, const char* name) {
  return quote_qualified_identifier(get_namespace_name(get_func_namespace(fcinfo->flinfo->fn_oid)), name);
}

/// The value, a jsonb or null, of the function that has the called one's name with an underscore before it, with the
/// same arguments.
Datum CallInner(FunctionCallInfo fcinfo, MemoryContext caller, bool* is_null) {
  constexpr int kMost = 3;
  Oid types[kMost] = {};
  Datum values[kMost] = {};
  char nulls[kMost + 1] = "   ";
  StringInfoData command;
  initStringInfo(&command);
  const Oid function = fcinfo->flinfo->fn_oid;
  appendStringInfo(&command, "SELECT %s(", Beside(fcinfo, psprintf("_%s", get_func_name(function))));
  int count = 0;
  Oid* declared = nullptr;
  (void)get_func_signature(function, &declared, &count);
  if (count > kMost) elog(ERROR, "too many arguments: %d", count);
  for (int i = 0; i < count; ++i) {
    types[i] = declared[i];
    nulls[i] = PG_ARGISNULL(i) ? 'n' : ' ';
    if (!PG_ARGISNULL(i)) values[i] = PG_GETARG_DATUM(i);
    appendStringInfo(&command, "%s$%d", i == 0 ? "" : ", ", i + 1);
  }
  appendStringInfoChar(&command, ')');
  const int result = SPI_execute_with_args(command.data, count, types, values, nulls, false, 1);
  if (result != SPI_OK_SELECT || SPI_processed != 1 || SPI_gettypeid(SPI_tuptable->tupdesc, 1) != JSONBOID) {
    elog(ERROR, "no single jsonb: %s", command.data);
  }
  Datum value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, is_null);
  if (!*is_null) {
    MemoryContext here = MemoryContextSwitchTo(caller);
    value = datumCopy(value, false, -1);
    MemoryContextSwitchTo(here);
  }
  return value;
}

/// A group sync works on temporary tables, which the restricted part may use but not make. Taking them away fails, and
/// everything with it, when what ran in between gave one of them another name; so does the look at what it has made.
Datum CallAsSync(FunctionCallInfo fcinfo, bool with_tables) {
  MemoryContext caller = CurrentMemoryContext;
  Oid user = InvalidOid;
  int context = 0;
  GetUserIdAndSecContext(&user, &context);
  const Oid role = get_role_oid("mfi_sync", false);
  const int local = context | SECURITY_LOCAL_USERID_CHANGE;
  const int level = NewGUCNestLevel();
  SPI_connect();
  if (with_tables) {
    SetUserIdAndSecContext(role, local);
    Run(psprintf("SELECT %s()", Beside(fcinfo, "_mfi_sync_tables")));
  }
  SetUserIdAndSecContext(role, local | SECURITY_RESTRICTED_OPERATION);
  bool is_null = false;
  const Datum value = CallInner(fcinfo, caller, &is_null);
  AtEOXact_GUC(false, level);
  SetUserIdAndSecContext(role, local);
  if (with_tables) {
    Run("DROP TABLE pg_temp._mfi_element, pg_temp._mfi_snapshot, pg_temp._mfi_present, pg_temp._mfi_change");
  }
  Run(psprintf("SELECT %s()", Beside(fcinfo, "_mfi_refuse_leavings")));
  SetUserIdAndSecContext(user, context);
  SPI_finish();
  if (is_null) PG_RETURN_NULL();
  PG_RETURN_DATUM(value);
}

}  // namespace
}  // namespace mfi::pg

extern "C" Datum mfi_group_sync(PG_FUNCTION_ARGS) { return mfi::pg::CallAsSync(fcinfo, true); }

extern "C" Datum mfi_event_import(PG_FUNCTION_ARGS) { return mfi::pg::CallAsSync(fcinfo, false); }

// No command of SQL takes a lock of this kind, so nobody else can keep us waiting by it.
extern "C" Datum mfi_one_at_a_time(PG_FUNCTION_ARGS) {
  return mfi::pg::Guard([&] {
    return mfi::pg::CallPg([&]() -> Datum {
      const auto kind = static_cast<uint16>(PG_GETARG_INT32(0));  // so that one kind of work meets no other
      const text* work = PG_GETARG_TEXT_PP(1);
      const uint32 key = hash_bytes(reinterpret_cast<const unsigned char*>(VARDATA_ANY(work)), VARSIZE_ANY_EXHDR(work));
      LockDatabaseObject(ExtensionRelationId, key, kind, ExclusiveLock);
      PG_RETURN_VOID();
    });
  });
}
