#include "pg/server/bridge.h"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "postmaster/bgworker.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/syscache.h"
#include "utils/timeout.h"

PG_FUNCTION_INFO_V1(mfi_as_owner);
PG_FUNCTION_INFO_V1(mfi_as_role);
PG_FUNCTION_INFO_V1(mfi_execute_unrecorded);
PG_FUNCTION_INFO_V1(mfi_lock);
}

// Work on a table of somebody else. Whoever owns a table decides what its checks, defaults, generated columns, index
// expressions and triggers call, so it is the owner's rights that all of it runs with, in an operation that the server
// keeps from changing its user, its session or what happens at commit: what VACUUM, REINDEX and REFRESH do for the same
// reason.
namespace mfi::pg {
namespace {

Oid OwnerOf(Oid relation) {
  HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
  if (!HeapTupleIsValid(tuple)) {
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("there is no relation with the oid %u", relation)));
  }
  const Oid owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relowner;
  ReleaseSysCache(tuple);
  return owner;
}

/// For the rest of this nest level of settings.
void SetHere(const char* name, const char* value) {
  (void)set_config_option(name, value, PGC_SUSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

void Run(const char* command) {
  const int result = SPI_execute(command, false, 0);
  if (result < 0) elog(ERROR, "could not execute (%s): %s", SPI_result_code_string(result), command);
}

/// Plain frame. The first column of the first row, or null, in the caller's memory. An error leaves user and settings
/// to the transaction's (or subtransaction's) abort, which puts both back.
char* Execute(Oid role, const char* command) {
  if (!superuser() || InSecurityRestrictedOperation()) {
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("only a superuser may work as a table's owner"),
                    errhint("It is called by mfi_migrate_schema() and mfi_audit_ensure_partitions().")));
  }
  MemoryContext caller = CurrentMemoryContext;
  Oid user = InvalidOid;
  int context = 0;
  GetUserIdAndSecContext(&user, &context);
  const int level = NewGUCNestLevel();
  SetHere("search_path", "pg_catalog, pg_temp");
  // Rows that only change their place fire no trigger: the rights of a superuser who owns the table are not for whoever
  // was given TRIGGER on it. An owner's ENABLE ALWAYS is the owner's own wish, and runs with the owner's rights.
  SetHere("session_replication_role", "replica");
  SetHere("row_security", "off");  // rows that a policy hides from the owner are an error, not left behind
  SetUserIdAndSecContext(role, context | SECURITY_RESTRICTED_OPERATION);

  SPI_connect();
  Run(command);
  char* value = nullptr;
  if (SPI_tuptable != nullptr && SPI_processed > 0) {
    value = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
    if (value != nullptr) value = MemoryContextStrdup(caller, value);
  }
  SPI_finish();
  AtEOXact_GUC(false, level);
  SetUserIdAndSecContext(user, context);
  return value;
}

/// Plain frame. After an error the script that is running ends, too, so there is nothing to put back.
void ExecuteUnrecorded(const char* command) {
  if (!superuser() || InSecurityRestrictedOperation()) {
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("only a superuser may leave a grant unrecorded")));
  }
  const bool in_script = creating_extension;
  creating_extension = false;
  SPI_connect();
  Run(command);
  SPI_finish();
  creating_extension = in_script;
}

TimeoutId end_of_worker = MAX_TIMEOUTS;

void EndWorker() {
  InterruptPending = true;
  ProcDiePending = true;
  SetLatch(MyLatch);
}

/// A session's statement_timeout is set going by its main loop, which a worker has not. Whoever catches the error that
/// it raises has a few seconds, then the worker ends, which nobody can catch.
class TimeLimit {
 public:
  TimeLimit() : armed_(MyBgworkerEntry != nullptr && StatementTimeout > 0) {
    if (!armed_) return;
    CallPg([] {
      if (end_of_worker == MAX_TIMEOUTS) end_of_worker = RegisterTimeout(USER_TIMEOUT, EndWorker);
      enable_timeout_after(STATEMENT_TIMEOUT, StatementTimeout);
      enable_timeout_after(end_of_worker, StatementTimeout + 5000);
    });
  }
  ~TimeLimit() {
    if (!armed_) return;
    disable_timeout(STATEMENT_TIMEOUT, false);
    disable_timeout(end_of_worker, false);
  }
  TimeLimit(const TimeLimit&) = delete;
  TimeLimit& operator=(const TimeLimit&) = delete;

 private:
  bool armed_;
};

}  // namespace
}  // namespace mfi::pg

extern "C" Datum mfi_as_owner(PG_FUNCTION_ARGS) {
  return mfi::pg::Guard([&] {
    const mfi::pg::TimeLimit limit;
    return mfi::pg::CallPg([&]() -> Datum {
      const Oid owner = mfi::pg::OwnerOf(PG_GETARG_OID(0));
      const char* value = mfi::pg::Execute(owner, text_to_cstring(PG_GETARG_TEXT_PP(1)));
      if (value == nullptr) PG_RETURN_NULL();
      PG_RETURN_DATUM(CStringGetTextDatum(value));
    });
  });
}

extern "C" Datum mfi_as_role(PG_FUNCTION_ARGS) {
  return mfi::pg::Guard([&] {
    return mfi::pg::CallPg([&]() -> Datum {
      const Oid role = get_role_oid(NameStr(*PG_GETARG_NAME(0)), false);
      const char* value = mfi::pg::Execute(role, text_to_cstring(PG_GETARG_TEXT_PP(1)));
      if (value == nullptr) PG_RETURN_NULL();
      PG_RETURN_DATUM(CStringGetTextDatum(value));
    });
  });
}

extern "C" Datum mfi_execute_unrecorded(PG_FUNCTION_ARGS) {
  return mfi::pg::Guard([&] {
    return mfi::pg::CallPg([&]() -> Datum {
      mfi::pg::ExecuteUnrecorded(text_to_cstring(PG_GETARG_TEXT_PP(0)));
      PG_RETURN_VOID();
    });
  });
}

extern "C" Datum mfi_lock(PG_FUNCTION_ARGS) {
  return mfi::pg::Guard([&] {
    return mfi::pg::CallPg([&]() -> Datum {
      LockRelationOid(PG_GETARG_OID(0), PG_GETARG_BOOL(1) ? AccessExclusiveLock : RowExclusiveLock);
      PG_RETURN_VOID();
    });
  });
}
