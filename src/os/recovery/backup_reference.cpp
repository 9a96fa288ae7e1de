#include "os/recovery/backup_reference.h"

#include <cstdlib>
#include <map>
#include <utility>

#include "os/backup/backup_directory.h"
#include "os/server/contents_reader.h"

namespace mfi::os {
namespace {

constexpr char kSequences[] =
    "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), s.seqmin, s.seqmax, s.seqincrement, s.seqcycle "
    "FROM pg_catalog.pg_sequence s JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid "
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace";

std::int64_t Number(const std::optional<std::string>& text) {
  return std::strtoll(text.value_or("0").c_str(), nullptr, 10);
}

bool IsProven(const core::RunRecord& run) {
  return run.state == core::RunState::kSucceeded && run.verify_method == core::VerifyMethod::kRestore &&
         run.verify_result == "ok";
}

}  // namespace

std::optional<BackupReference> NewestProvenBackup(const RecoveryJob& job, const std::string& system_identifier) {
  if (job.backup_directory.empty()) return std::nullopt;
  std::optional<BackupReference> newest;
  for (StoredSet& set : BackupDirectory(job.backup_directory, job.node).Sets()) {
    const core::RunRecord& run = set.manifest.run;
    const std::optional<core::Lsn> lsn = core::ParseLsn(run.snapshot_lsn);
    if (!IsProven(run) || run.snapshot.empty() || !lsn || run.system_identifier != system_identifier ||
        run.database != job.database || (newest && *lsn <= newest->reference.lsn)) {
      continue;
    }
    newest = BackupReference{.id = run.id,
                             .reference = {.lsn = *lsn,
                                           .snapshot = run.snapshot,
                                           .contents = std::move(set.manifest.contents),
                                           .words = "backup " + run.id},
                             .timeline = static_cast<std::uint32_t>(run.timeline)};
  }
  return newest;
}

core::Contents AsRecovered(core::Contents contents, Connection& recovered) {
  std::map<std::string, Row> known;
  for (Row& row : recovered.Query(kSequences)) {
    const std::string name = row[0].value_or("");
    known[name] = std::move(row);
  }
  for (core::SequenceRange& sequence : contents.sequences) {
    const auto found = known.find(sequence.name);
    if (found == known.end()) continue;
    const Row& row = found->second;
    SequenceState before{.least = Number(row[1]),
                         .most = Number(row[2]),
                         .upward = Number(row[3]) > 0,
                         .cycles = row[4] == "t",
                         .step = Number(row[3])};
    SequenceState after = before;
    before.position = before.upward ? sequence.low : sequence.high;
    after.position = after.upward ? sequence.high : sequence.low;
    sequence = RecoveredRangeOf(sequence.name, before, after);
  }
  return contents;
}

}  // namespace mfi::os
