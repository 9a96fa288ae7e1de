#include "os/recovery/backup_comparison.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "core/recovery/wal_line.h"
#include "os/recovery/backup_reference.h"
#include "os/recovery/unseen.h"
#include "os/recovery/wal_end.h"
#include "os/server/contents_reader.h"
#include "os/server/table_list.h"

namespace mfi::os {
namespace {

using core::BaseRecord;
using core::Lsn;

/// Whether the backup's moment is in the store's history, and its WAL is there without a gap.
bool IsInReach(const RecoveryStore& store, const BaseRecord& base, const BackupReference& backup) {
  const std::int64_t segment_bytes = base.segment_bytes;
  const core::History history = NewestHistory(store, segment_bytes);
  const auto segment = static_cast<Lsn>(segment_bytes);
  const Lsn until = backup.reference.lsn;
  if (!core::BelongsTo(history, {backup.timeline, (until - 1) / segment}, segment_bytes)) return false;
  const core::WalLine line = core::LineOf(store.Wal(segment_bytes), history, segment_bytes);
  return std::any_of(line.stretches.begin(), line.stretches.end(), [&](const core::WalStretch& stretch) {
    return stretch.from <= base.start && until <= stretch.to + (stretch.partial ? segment : 0);
  });
}

}  // namespace

std::vector<BaseRecord> ChainBefore(const RecoveryStore& store, Lsn position) {
  const std::vector<BaseRecord> bases = store.Bases();
  std::vector<BaseRecord> newest;
  for (const BaseRecord& base : bases) {
    if (base.end > position) continue;
    std::vector<BaseRecord> chain = core::ChainOf(bases, base.id);
    if (!chain.empty()) newest = std::move(chain);
  }
  return newest;
}

std::string CompareRecovered(const RecoveryJob& job, RecoveredServer& server, const Reference& reference,
                             WalDump& dump) {
  const std::unique_ptr<Connection> recovered = server.Open(job.database);
  ContentsFunctions functions = MakeContentsFunctions(*recovered);
  functions.as_of = AsOf(reference, *recovered, dump, server.base().end);
  ContentsReader reader(*recovered, functions);
  reader.Begin(ListTables(*recovered));
  return core::CompareContents(reference.contents, reader.Finish());
}

std::optional<BackupComparison> CompareWithBackup(const RecoveryJob& job, const RecoveryStore& store, RunHost& host,
                                                  const DrillProgress& progress,
                                                  const std::function<bool(const std::string& backup)>& pass_over) {
  const std::optional<core::StoreIdentity> identity = store.Identity();
  if (!identity) return std::nullopt;
  const std::optional<BackupReference> backup = NewestProvenBackup(job, identity->system_identifier);
  if (!backup || pass_over(backup->id)) return std::nullopt;
  const Lsn until = backup->reference.lsn;
  const std::vector<BaseRecord> chain = ChainBefore(store, until);
  if (chain.empty() || !IsInReach(store, chain.back(), *backup)) return std::nullopt;
  const core::History history = NewestHistory(store, identity->segment_bytes);
  RecoveredServer server(job, store, chain, history, {}, host);
  progress("unpacking", 0);
  server.Unpack();
  server.Replay(until, until - 1, [&](Lsn replayed) { progress("replaying", replayed); });
  WalDump dump(job, store, history, identity->segment_bytes, server.place().directory(), host);
  Reference reference = backup->reference;
  {
    const std::unique_ptr<Connection> recovered = server.Open(job.database);
    reference.contents = AsRecovered(std::move(reference.contents), *recovered);
  }
  progress("comparing", until);
  return BackupComparison{backup->id, backup->reference.words, chain.back().id,
                          CompareRecovered(job, server, reference, dump)};
}

}  // namespace mfi::os
