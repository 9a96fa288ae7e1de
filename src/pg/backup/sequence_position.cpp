#include <cstdint>

#include "pg/server/bridge.h"

extern "C" {
#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/pg_sequence.h"
#include "commands/sequence.h"
#include "common/int.h"
#include "storage/bufmgr.h"
#include "utils/acl.h"
#include "utils/rel.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(mfi_sequence_position);
}

namespace mfi::pg {
namespace {

int64 IncrementOf(Oid sequence) {
  HeapTuple tuple = SearchSysCache1(SEQRELID, ObjectIdGetDatum(sequence));
  if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for sequence %u", sequence);
  const int64 increment = reinterpret_cast<Form_pg_sequence>(GETSTRUCT(tuple))->seqincrement;
  ReleaseSysCache(tuple);
  return increment;
}

/// The only row of a sequence, as the server itself reads it.
FormData_pg_sequence_data StateOf(Relation sequence) {
  Buffer buffer = ReadBuffer(sequence, 0);
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  Page page = BufferGetPage(buffer);
  ItemId item = PageGetItemId(page, FirstOffsetNumber);
  HeapTupleData tuple{};
  tuple.t_data = reinterpret_cast<HeapTupleHeader>(PageGetItem(page, item));
  const FormData_pg_sequence_data state = *reinterpret_cast<Form_pg_sequence_data>(GETSTRUCT(&tuple));
  UnlockReleaseBuffer(buffer);
  return state;
}

/// Plain frame. What the next value comes after: for a sequence that nobody has called yet, one step before its first.
int64 Position(Oid oid) {
  Relation sequence = relation_open(oid, RowExclusiveLock);
  if (sequence->rd_rel->relkind != RELKIND_SEQUENCE) {
    ereport(ERROR,
            (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" is no sequence", RelationGetRelationName(sequence))));
  }
  if (pg_class_aclcheck(oid, GetUserId(), ACL_SELECT) != ACLCHECK_OK) {
    aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_SEQUENCE, RelationGetRelationName(sequence));
  }
  const FormData_pg_sequence_data state = StateOf(sequence);
  int64 position = state.last_value;
  const int64 increment = IncrementOf(oid);
  if (!state.is_called && pg_sub_s64_overflow(state.last_value, increment, &position)) {
    position = increment > 0 ? PG_INT64_MIN : PG_INT64_MAX;
  }
  relation_close(sequence, NoLock);
  return position;
}

}  // namespace
}  // namespace mfi::pg

extern "C" Datum mfi_sequence_position(PG_FUNCTION_ARGS) {
  return mfi::pg::Guard(
      [&] { return mfi::pg::CallPg([&] { return Int64GetDatum(mfi::pg::Position(PG_GETARG_OID(0))); }); });
}
