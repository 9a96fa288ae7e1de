#include <bit>
#include <cmath>

#include "pg/backup/large_objects_scan.h"
#include "pg/backup/row_hash.h"
#include "pg/backup/snapshot_text.h"
#include "pg/server/bridge.h"

extern "C" {
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_largeobject.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(mfi_contents);
PG_FUNCTION_INFO_V1(mfi_contents_as_of);
}

// What a table holds, as a number that a restored copy must have again: a hash of each row, whatever the order, summed
// up. A scan does it, no query: nothing of the table's owner is planned or run.
//
// A value goes in by its image where that is the same in every cluster for the same value, by its output text else:
// enums are numbers of their cluster, an array has a null bitmap that it does not need, a text is always itself.
namespace mfi::pg {
namespace {

enum class Way { kByValue, kFloat4, kFloat8, kFixed, kName, kBytes, kNumeric, kJsonb, kText };

Way WayOf(Oid type) {
  switch (type) {
    case BOOLOID:
    case CHAROID:
    case INT2OID:
    case INT4OID:
    case INT8OID:
    case OIDOID:
    case XIDOID:
    case XID8OID:
    case CIDOID:
    case CASHOID:
    case DATEOID:
    case TIMEOID:
    case TIMESTAMPOID:
    case TIMESTAMPTZOID:
    case PG_LSNOID:
      return Way::kByValue;
    case FLOAT4OID:
      return Way::kFloat4;
    case FLOAT8OID:
      return Way::kFloat8;
    case UUIDOID:
    case MACADDROID:
    case MACADDR8OID:
    case TIMETZOID:
    case INTERVALOID:
      return Way::kFixed;
    case NAMEOID:
      return Way::kName;
    case TEXTOID:
    case VARCHAROID:
    case BPCHAROID:
    case BYTEAOID:
    case JSONOID:
    case INETOID:
    case CIDROID:
      return Way::kBytes;
    case NUMERICOID:
      return Way::kNumeric;
    case JSONBOID:
      return Way::kJsonb;
    default:
      return Way::kText;
  }
}

struct Column {
  int index;  // in the tuple, from 0
  const char* name;
  Way way;
  int16 length;
  FmgrInfo output;
};

/// A numeric has a short and a long header for the same value, by the version that wrote it.
void AddNumeric(RowHash& hash, const char* image, std::size_t size) {
  std::uint16_t header = 0;
  memcpy(&header, image, sizeof header);
  std::size_t used = sizeof header;
  std::uint16_t scale = 0;
  std::int16_t weight = 0;
  bool negative = false;
  if ((header & 0xC000) == 0xC000) {  // NaN, infinity
    hash.AddNumber(header & 0xF000);
    return;
  }
  if ((header & 0x8000) != 0) {
    negative = (header & 0x2000) != 0;
    scale = static_cast<std::uint16_t>((header & 0x1F80) >> 7);
    weight = static_cast<std::int16_t>((header & 0x003F) | ((header & 0x0040) != 0 ? ~0x003F : 0));
  } else {
    negative = (header & 0xC000) == 0x4000;
    scale = header & 0x3FFF;
    memcpy(&weight, image + used, sizeof weight);
    used += sizeof weight;
  }
  hash.AddNumber(std::uint64_t{negative} << 32 | std::uint64_t{scale} << 16 | static_cast<std::uint16_t>(weight));
  hash.Add(image + used, size - used);
}

/// Piece by piece: how a jsonb lies in memory depends on how it was made.
void AddJsonb(RowHash& hash, Jsonb* document) {
  JsonbIterator* iterator = JsonbIteratorInit(&document->root);
  JsonbValue value;
  for (;;) {
    const JsonbIteratorToken token = JsonbIteratorNext(&iterator, &value, false);
    if (token == WJB_DONE) return;
    const bool container = token == WJB_BEGIN_ARRAY || token == WJB_BEGIN_OBJECT;
    hash.AddNumber(std::uint64_t{token} << 8 | (token == WJB_BEGIN_ARRAY && value.val.array.rawScalar ? 1 : 0));
    if (container || token == WJB_END_ARRAY || token == WJB_END_OBJECT) continue;
    hash.AddNumber(value.type);
    if (value.type == jbvString) {
      hash.Add(value.val.string.val, static_cast<std::size_t>(value.val.string.len));
    } else if (value.type == jbvNumeric) {
      AddNumeric(hash, VARDATA_ANY(value.val.numeric), VARSIZE_ANY_EXHDR(value.val.numeric));
    } else if (value.type == jbvBool) {
      hash.AddNumber(value.val.boolean ? 1 : 0);
    }
  }
}

void AddValue(RowHash& hash, Column& column, Datum value) {
  switch (column.way) {
    case Way::kByValue:
      return hash.AddNumber(value);
    case Way::kFloat4: {
      const float number = DatumGetFloat4(value);
      return hash.AddNumber(std::isnan(number) ? 0x7fc00000U : std::bit_cast<std::uint32_t>(number));
    }
    case Way::kFloat8: {
      const double number = DatumGetFloat8(value);
      return hash.AddNumber(std::isnan(number) ? 0x7ff8000000000000ULL : std::bit_cast<std::uint64_t>(number));
    }
    case Way::kFixed:
      return hash.Add(DatumGetPointer(value), static_cast<std::size_t>(column.length));
    case Way::kName:
      return hash.Add(NameStr(*DatumGetName(value)), strlen(NameStr(*DatumGetName(value))));
    case Way::kBytes: {
      struct varlena* bytes = PG_DETOAST_DATUM_PACKED(value);
      return hash.Add(VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
    }
    case Way::kNumeric: {
      struct varlena* bytes = PG_DETOAST_DATUM_PACKED(value);
      return AddNumeric(hash, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
    }
    case Way::kJsonb:
      return AddJsonb(hash, DatumGetJsonbP(value));
    case Way::kText: {
      const char* text = OutputFunctionCall(&column.output, value);
      return hash.Add(text, strlen(text));
    }
  }
}

int CompareNames(const void* a, const void* b) {
  return strcmp(static_cast<const Column*>(a)->name, static_cast<const Column*>(b)->name);
}

/// By name, since a partition that was restored may have them in another order.
Column* ColumnsOf(Relation table, int* count) {
  const TupleDesc descriptor = RelationGetDescr(table);
  auto* columns = static_cast<Column*>(palloc0(sizeof(Column) * static_cast<std::size_t>(Max(descriptor->natts, 1))));
  *count = 0;
  for (int i = 0; i < descriptor->natts; ++i) {
    const Form_pg_attribute attribute = TupleDescAttr(descriptor, i);
    if (attribute->attisdropped) continue;
    Column& column = columns[(*count)++];
    column.index = i;
    column.name = NameStr(attribute->attname);
    column.way = WayOf(getBaseType(attribute->atttypid));
    column.length = attribute->attlen;
    if (column.way == Way::kText) {
      Oid output = InvalidOid;
      bool is_varlena = false;
      getTypeOutputInfo(attribute->atttypid, &output, &is_varlena);
      fmgr_info(output, &column.output);
    }
  }
  qsort(columns, static_cast<std::size_t>(*count), sizeof(Column), CompareNames);
  return columns;
}

void CheckReadable(Relation table) {
  const Oid oid = RelationGetRelid(table);
  const char kind = table->rd_rel->relkind;
  if (kind != RELKIND_RELATION && kind != RELKIND_MATVIEW) {
    ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" is no table", RelationGetRelationName(table))));
  }
  if (pg_class_aclcheck(oid, GetUserId(), ACL_SELECT) != ACLCHECK_OK &&
      pg_attribute_aclcheck_all(oid, GetUserId(), ACL_SELECT, ACLMASK_ALL) != ACLCHECK_OK) {
    aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, RelationGetRelationName(table));
  }
  if (check_enable_rls(oid, InvalidOid, true) == RLS_ENABLED) {
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                    errmsg("row-level security of table \"%s\" hides rows from %s", RelationGetRelationName(table),
                           GetUserNameFromId(GetUserId(), false)),
                    errhint("Read it as a superuser, as its owner, or as a role with BYPASSRLS.")));
  }
}

constexpr Size kMemory = Size{8} * 1024 * 1024;

/// What output texts depend on, for the rest of this nest level.
void SetForOutput() {
  constexpr const char* kSettings[][2] = {{"search_path", "pg_catalog, pg_temp"},
                                          {"DateStyle", "ISO, YMD"},
                                          {"IntervalStyle", "postgres"},
                                          {"TimeZone", "UTC"},
                                          {"extra_float_digits", "3"},
                                          {"bytea_output", "hex"},
                                          {"lc_monetary", "C"},
                                          {"quote_all_identifiers", "off"}};
  for (const auto& setting : kSettings) {
    (void)set_config_option(setting[0], setting[1], PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
  }
}

/// Plain frame.
void ScanRows(Relation table, Snapshot snapshot, ContentsHash& contents) {
  int count = 0;
  Column* columns = ColumnsOf(table, &count);
  TableScanDesc scan = table_beginscan(table, snapshot, 0, nullptr);
  TupleTableSlot* slot = table_slot_create(table, nullptr);
  MemoryContext values = AllocSetContextCreate(CurrentMemoryContext, "mfi contents", ALLOCSET_DEFAULT_SIZES);
  MemoryContext before = MemoryContextSwitchTo(values);
  while (table_scan_getnextslot(scan, ForwardScanDirection, slot)) {
    RowHash hash;
    slot_getallattrs(slot);
    for (int i = 0; i < count; ++i) {
      Column& column = columns[i];
      if (slot->tts_isnull[column.index]) {
        hash.AddNull();
      } else {
        AddValue(hash, column, slot->tts_values[column.index]);
      }
    }
    contents.Add(hash);
    CHECK_FOR_INTERRUPTS();
    if (MemoryContextMemAllocated(values, false) > kMemory) MemoryContextReset(values);
  }
  MemoryContextSwitchTo(before);
  ExecDropSingleTupleTableSlot(slot);
  table_endscan(scan);
}

/// Plain frame.
Datum Scan(FunctionCallInfo fcinfo, Snapshot snapshot) {
  TupleDesc result = nullptr;
  if (get_call_result_type(fcinfo, nullptr, &result) != TYPEFUNC_COMPOSITE) elog(ERROR, "no row type");
  const int level = NewGUCNestLevel();
  SetForOutput();
  Relation table = table_open(PG_GETARG_OID(0), AccessShareLock);
  CheckReadable(table);
  ContentsHash contents;
  if (RelationGetRelid(table) == LargeObjectRelationId) {
    ScanLargeObjects(table, snapshot, contents);
  } else {
    ScanRows(table, snapshot, contents);
  }
  table_close(table, NoLock);
  AtEOXact_GUC(true, level);
  Datum answer[2] = {Int64GetDatum(contents.rows()),
                     CStringGetTextDatum(psprintf("%016llx%016llx", static_cast<unsigned long long>(contents.sum()),
                                                  static_cast<unsigned long long>(contents.mixed())))};
  bool nulls[2] = {false, false};
  return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(result), answer, nulls));
}

}  // namespace
}  // namespace mfi::pg

extern "C" Datum mfi_contents(PG_FUNCTION_ARGS) {
  return mfi::pg::Guard([&] { return mfi::pg::CallPg([&] { return mfi::pg::Scan(fcinfo, GetActiveSnapshot()); }); });
}

extern "C" Datum mfi_contents_as_of(PG_FUNCTION_ARGS) {
  return mfi::pg::Guard([&] {
    return mfi::pg::CallPg([&] {
      Snapshot snapshot =
          mfi::pg::SnapshotOf(text_to_cstring(PG_GETARG_TEXT_PP(1)), text_to_cstring(PG_GETARG_TEXT_PP(2)));
      return mfi::pg::Scan(fcinfo, snapshot);
    });
  });
}
