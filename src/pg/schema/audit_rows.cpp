#include "pg/server/bridge.h"

extern "C" {
#include "access/genam.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_am.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(mfi_count);
PG_FUNCTION_INFO_V1(mfi_count_to);
PG_FUNCTION_INFO_V1(mfi_months);
}

// Rows of audit tables, counted for the verdict by whoever asks for it, and for the maintainer. No query does it: the
// planner alone computes what the table's owner has put into indexes, statistics and checks, with the rights, in the
// session and in the time of whoever looks; and an index can lie. Reading an index or the table itself calls nothing of
// theirs.
namespace mfi::pg {
namespace {

/// A plain btree that begins with the column, or InvalidOid.
Oid IndexOn(Relation table, AttrNumber column) {
  ListCell* cell = nullptr;
  foreach (cell, RelationGetIndexList(table)) {
    if (!ConditionalLockRelationOid(lfirst_oid(cell), AccessShareLock)) continue;
    Relation index = index_open(lfirst_oid(cell), NoLock);
    const bool fits = index->rd_rel->relam == BTREE_AM_OID && index->rd_index->indisvalid &&
                      index->rd_index->indkey.values[0] == column &&
                      heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, nullptr) &&
                      heap_attisnull(index->rd_indextuple, Anum_pg_index_indexprs, nullptr);
    const Oid oid = RelationGetRelid(index);
    index_close(index, AccessShareLock);
    if (fits) return oid;
  }
  return InvalidOid;
}

int64 CountByIndex(Relation table, Oid index, AttrNumber column, bool nulls, int64 most) {
  ScanKeyData key;
  ScanKeyEntryInitialize(&key, SK_ISNULL | (nulls ? SK_SEARCHNULL : SK_SEARCHNOTNULL), column, InvalidStrategy,
                         InvalidOid, InvalidOid, InvalidOid, Datum{0});
  int64 count = 0;
  SysScanDesc scan = systable_beginscan(table, index, true, GetActiveSnapshot(), 1, &key);
  while (count < most && HeapTupleIsValid(systable_getnext(scan))) {
    CHECK_FOR_INTERRUPTS();
    ++count;
  }
  systable_endscan(scan);
  return count;
}

int64 CountByTable(Relation table, AttrNumber column, bool nulls, int64 most) {
  int64 count = 0;
  TupleTableSlot* slot = table_slot_create(table, nullptr);
  TableScanDesc scan = table_beginscan(table, GetActiveSnapshot(), 0, nullptr);
  while (count < most && table_scan_getnextslot(scan, ForwardScanDirection, slot)) {
    CHECK_FOR_INTERRUPTS();
    if (slot_attisnull(slot, column) == nulls) ++count;
  }
  table_endscan(scan);
  ExecDropSingleTupleTableSlot(slot);
  return count;
}

void CheckReadable(Oid relation, AttrNumber column) {
  if (pg_class_aclcheck(relation, GetUserId(), ACL_SELECT) == ACLCHECK_OK) return;
  if (column != InvalidAttrNumber && pg_attribute_aclcheck(relation, column, GetUserId(), ACL_SELECT) == ACLCHECK_OK) {
    return;
  }
  aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(relation));
}

void CheckIsTable(Relation table) {
  if (table->rd_rel->relkind == RELKIND_RELATION) return;
  ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" is no table", RelationGetRelationName(table))));
}

/// Plain frame. All rows that the snapshot sees.
int64 Count(Oid relation) {
  Relation table = table_open(relation, AccessShareLock);
  CheckIsTable(table);
  CheckReadable(relation, InvalidAttrNumber);
  int64 count = 0;
  TupleTableSlot* slot = table_slot_create(table, nullptr);
  TableScanDesc scan = table_beginscan(table, GetActiveSnapshot(), 0, nullptr);
  while (table_scan_getnextslot(scan, ForwardScanDirection, slot)) {
    CHECK_FOR_INTERRUPTS();
    ++count;
  }
  table_endscan(scan);
  ExecDropSingleTupleTableSlot(slot);
  table_close(table, NoLock);
  return count;
}

constexpr int kFirstYear = 2000;

/// Months since the first one, in UTC; negative before it.
int MonthOf(TimestampTz time) {
  struct pg_tm tm {};
  fsec_t fraction = 0;
  if (TIMESTAMP_NOT_FINITE(time) || timestamp2tm(time, nullptr, &tm, &fraction, nullptr, nullptr) != 0) return -1;
  return (tm.tm_year - kFirstYear) * MONTHS_PER_YEAR + tm.tm_mon - 1;
}

Datum FirstMomentOf(int month) {
  struct pg_tm tm {};
  tm.tm_year = kFirstYear + month / MONTHS_PER_YEAR;
  tm.tm_mon = month % MONTHS_PER_YEAR + 1;
  tm.tm_mday = 1;
  Timestamp time = 0;
  if (tm2timestamp(&tm, 0, nullptr, &time) != 0) elog(ERROR, "month %d out of range", month);
  return TimestampTzGetDatum(time);
}

/// Plain frame. The months before `before` of which the column has times.
ArrayType* Months(Oid relation, const char* column_name, TimestampTz before) {
  Relation table = table_open(relation, AccessShareLock);
  CheckIsTable(table);
  const AttrNumber column = get_attnum(relation, column_name);
  if (column <= 0 || get_atttype(relation, column) != TIMESTAMPTZOID) {
    ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("table \"%s\" has no column \"%s\" of type timestamptz",
                                                               RelationGetRelationName(table), column_name)));
  }
  CheckReadable(relation, column);
  const int end = Max(MonthOf(before), 0);
  bool* seen = static_cast<bool*>(palloc0(static_cast<Size>(end) + 1));
  TupleTableSlot* slot = table_slot_create(table, nullptr);
  TableScanDesc scan = table_beginscan(table, GetActiveSnapshot(), 0, nullptr);
  while (table_scan_getnextslot(scan, ForwardScanDirection, slot)) {
    CHECK_FOR_INTERRUPTS();
    bool is_null = false;
    const Datum time = slot_getattr(slot, column, &is_null);
    const int month = is_null ? -1 : MonthOf(DatumGetTimestampTz(time));
    if (month >= 0 && month < end) seen[month] = true;
  }
  table_endscan(scan);
  ExecDropSingleTupleTableSlot(slot);
  table_close(table, NoLock);
  Datum* months = static_cast<Datum*>(palloc(sizeof(Datum) * (static_cast<Size>(end) + 1)));
  int count = 0;
  for (int month = 0; month < end; ++month) {
    if (seen[month]) months[count++] = FirstMomentOf(month);
  }
  return construct_array(months, count, TIMESTAMPTZOID, sizeof(TimestampTz), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
}

/// Plain frame. Rows whose column is (not) null, at most so many; -1 when somebody holds a lock that it would wait for.
int64 CountTo(Oid relation, const char* column_name, bool nulls, int64 most) {
  const AttrNumber column = get_attnum(relation, column_name);
  if (column <= 0 || get_rel_relkind(relation) != RELKIND_RELATION) {
    ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                    errmsg("relation %u is no table with a column %s", relation, column_name)));
  }
  CheckReadable(relation, column);
  if (!ConditionalLockRelationOid(relation, AccessShareLock)) return -1;
  Relation table = table_open(relation, NoLock);
  const Oid index = table->rd_rel->relam == HEAP_TABLE_AM_OID ? IndexOn(table, column) : InvalidOid;
  const int64 count =
      OidIsValid(index) ? CountByIndex(table, index, column, nulls, most) : CountByTable(table, column, nulls, most);
  table_close(table, NoLock);
  return count;
}

}  // namespace
}  // namespace mfi::pg

extern "C" Datum mfi_count(PG_FUNCTION_ARGS) {
  return mfi::pg::Guard(
      [&] { return mfi::pg::CallPg([&]() -> Datum { PG_RETURN_INT64(mfi::pg::Count(PG_GETARG_OID(0))); }); });
}

extern "C" Datum mfi_months(PG_FUNCTION_ARGS) {
  return mfi::pg::Guard([&] {
    return mfi::pg::CallPg([&]() -> Datum {
      PG_RETURN_ARRAYTYPE_P(mfi::pg::Months(PG_GETARG_OID(0), NameStr(*PG_GETARG_NAME(1)), PG_GETARG_TIMESTAMPTZ(2)));
    });
  });
}

extern "C" Datum mfi_count_to(PG_FUNCTION_ARGS) {
  return mfi::pg::Guard([&] {
    return mfi::pg::CallPg([&]() -> Datum {
      const int64 count =
          mfi::pg::CountTo(PG_GETARG_OID(0), NameStr(*PG_GETARG_NAME(1)), PG_GETARG_BOOL(2), PG_GETARG_INT64(3));
      if (count < 0) PG_RETURN_NULL();
      PG_RETURN_INT64(count);
    });
  });
}
