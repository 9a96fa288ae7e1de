#include "pg/backup/large_objects_scan.h"

extern "C" {
#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_largeobject.h"
#include "catalog/pg_largeobject_metadata.h"
#include "storage/large_object.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

// Where a page is not there, a reader sees zeros, and a restored copy has a page of zeros. So zeros at a page's end do
// not count, only the object's size does.
namespace mfi::pg {
namespace {

struct Object {
  Oid number = InvalidOid;
  RowHash hash;
  std::uint64_t size = 0;
};

void AddTo(ContentsHash& contents, Object& object) {
  if (object.size == 0) return;  // an empty page, or none
  object.hash.AddNumber(object.size);
  contents.AddPart(object.hash);
}

void AddPage(Object& object, HeapTuple tuple) {
  const auto* form = reinterpret_cast<Form_pg_largeobject>(GETSTRUCT(tuple));
  auto* stored = reinterpret_cast<struct varlena*>(const_cast<bytea*>(&form->data));
  struct varlena* bytes = pg_detoast_datum_packed(stored);
  const char* data = VARDATA_ANY(bytes);
  const std::size_t size = VARSIZE_ANY_EXHDR(bytes);
  const std::uint64_t begin = static_cast<std::uint64_t>(form->pageno) * LOBLKSIZE;
  std::size_t used = size;
  while (used > 0 && data[used - 1] == 0) --used;
  if (used > 0) {
    object.hash.AddNumber(begin);
    object.hash.Add(data, used);
  }
  object.size = begin + size;
  if (bytes != stored) pfree(bytes);
}

/// Objects without a page are objects, too.
void ScanNumbers(Snapshot snapshot, ContentsHash& contents) {
  Relation objects = table_open(LargeObjectMetadataRelationId, AccessShareLock);
  TableScanDesc scan = table_beginscan(objects, snapshot, 0, nullptr);
  for (HeapTuple tuple; (tuple = heap_getnext(scan, ForwardScanDirection)) != nullptr;) {
    RowHash hash;
    hash.AddNumber(reinterpret_cast<Form_pg_largeobject_metadata>(GETSTRUCT(tuple))->oid);
    contents.Add(hash);
  }
  table_endscan(scan);
  table_close(objects, NoLock);
}

}  // namespace

void ScanLargeObjects(Relation pages, Snapshot snapshot, ContentsHash& contents) {
  ScanNumbers(snapshot, contents);
  Relation index = index_open(LargeObjectLOidPNIndexId, AccessShareLock);
  SysScanDesc scan = systable_beginscan_ordered(pages, index, snapshot, 0, nullptr);
  Object object;
  for (HeapTuple tuple; (tuple = systable_getnext_ordered(scan, ForwardScanDirection)) != nullptr;) {
    CHECK_FOR_INTERRUPTS();
    const Oid number = reinterpret_cast<Form_pg_largeobject>(GETSTRUCT(tuple))->loid;
    if (number != object.number) {
      AddTo(contents, object);
      object = {.number = number, .hash = {}, .size = 0};
      object.hash.AddNumber(number);
    }
    AddPage(object, tuple);
  }
  AddTo(contents, object);
  systable_endscan_ordered(scan);
  index_close(index, NoLock);
}

}  // namespace mfi::pg
