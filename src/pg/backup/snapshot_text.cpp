#include "pg/backup/snapshot_text.h"

extern "C" {
#include "access/transam.h"
#include "access/xact.h"
}

namespace mfi::pg {
namespace {

[[noreturn]] void Refuse(const char* text) {
  ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION), errmsg("\"%s\" is no snapshot", text)));
  pg_unreachable();
}

/// The 32 bits of a number by which rows name it; `rest` is behind it.
TransactionId TakeXid(const char* text, const char** rest) {
  char* end = nullptr;
  errno = 0;
  const unsigned long long number = strtoull(*rest, &end, 10);
  if (end == *rest || errno != 0) Refuse(text);
  *rest = end;
  return static_cast<TransactionId>(number);
}

/// Numbers separated by commas, to the end of the text; empty for none.
TransactionId* TakeXids(const char* text, const char* rest, uint32* count) {
  auto* xids = static_cast<TransactionId*>(palloc(sizeof(TransactionId) * (strlen(rest) / 2 + 1)));
  *count = 0;
  while (*rest != '\0') {
    xids[(*count)++] = TakeXid(text, &rest);
    if (*rest == ',') {
      ++rest;
    } else if (*rest != '\0') {
      Refuse(text);
    }
  }
  return xids;
}

}  // namespace

Snapshot SnapshotOf(const char* text, const char* subtransactions) {
  auto* snapshot = static_cast<Snapshot>(palloc0(sizeof(SnapshotData)));
  snapshot->snapshot_type = SNAPSHOT_MVCC;
  const char* rest = text;
  snapshot->xmin = TakeXid(text, &rest);
  if (*rest++ != ':') Refuse(text);
  snapshot->xmax = TakeXid(text, &rest);
  if (*rest++ != ':') Refuse(text);
  uint32 count = 0;
  snapshot->xip = TakeXids(text, rest, &count);
  snapshot->xcnt = count;
  snapshot->subxip = TakeXids(subtransactions, subtransactions, &count);
  snapshot->subxcnt = static_cast<int32>(count);
  // A subtransaction can have a lower number than any transaction that was going on has.
  for (uint32 i = 0; i < count; ++i) {
    if (TransactionIdPrecedes(snapshot->subxip[i], snapshot->xmin)) snapshot->xmin = snapshot->subxip[i];
  }
  snapshot->curcid = GetCurrentCommandId(false);
  return snapshot;
}

}  // namespace mfi::pg
