#include "os/server/contents_reader.h"

#include <algorithm>
#include <cstdlib>

#include "core/base/error.h"
#include "core/base/printable.h"

namespace mfi::os {
namespace {

// By OID, and the lock that this takes lasts: a table that got the sequence's name meanwhile would be read with a plan,
// which computes what its owner wrote. pg_dump reads all of these, of which those of extensions are not compared.
//
// Not all at once: outside of a transaction each statement gives its locks back, and a server has room for few.
constexpr std::size_t kSequencesAtOnce = 500;

std::string SequencesBy(const std::string& function, const std::string& after) {
  return "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), " + function +
         "(c.oid), s.seqmin, s.seqmax, s.seqincrement, s.seqcycle, "
         "c.relpersistence = 'p' AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d "
         "WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e'), c.oid "
         "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
         "JOIN pg_catalog.pg_sequence s ON s.seqrelid = c.oid WHERE c.relkind = 'S' AND c.relpersistence <> 't' "
         "AND NOT (c.relpersistence = 'u' AND pg_catalog.pg_is_in_recovery()) AND n.nspname !~ '^pg_' "
         "AND c.oid > '" +
         after + "' ORDER BY c.oid LIMIT " + std::to_string(kSequencesAtOnce);
}

constexpr char kConstraints[] =
    "SELECT pg_catalog.format('%I on %I.%I', k.conname, n.nspname, c.relname) FROM pg_catalog.pg_constraint k "
    "JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "WHERE NOT k.convalidated ORDER BY 1";

// The extension's own, else some for this session, which a standby cannot have.
constexpr char kInstalled[] =
    "SELECT pg_catalog.format('%I.', n.nspname) FROM pg_catalog.pg_proc p "
    "JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace "
    "JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid "
    "AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e' "
    "JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid AND e.extname = 'mfi' "
    "WHERE p.proname IN ('_mfi_contents', '_mfi_sequence_position') AND p.pronargs = 1 "
    "AND p.proargtypes[0] = 'pg_catalog.oid'::pg_catalog.regtype";
constexpr const char* kMakeFunctions[] = {
    "CREATE OR REPLACE FUNCTION pg_temp._mfi_contents(relation pg_catalog.oid, OUT rows pg_catalog.int8, "
    "OUT hash pg_catalog.text) LANGUAGE c STABLE STRICT AS '$libdir/mfi', 'mfi_contents'",
    "CREATE OR REPLACE FUNCTION pg_temp._mfi_sequence_position(sequence pg_catalog.oid) RETURNS pg_catalog.int8 "
    "LANGUAGE c VOLATILE STRICT AS '$libdir/mfi', 'mfi_sequence_position'"};

constexpr std::uint32_t kLargeObjects = 2613;  // pg_largeobject, in every version
constexpr char kDatabaseSize[] = "SELECT pg_catalog.pg_database_size(pg_catalog.current_database())";

constexpr char kLockNotAvailable[] = "55P03";
constexpr char kNoRelation[] = "XX000";  // of an OID

std::int64_t Number(const std::optional<std::string>& text) {
  return std::strtoll(text.value_or("0").c_str(), nullptr, 10);
}

}  // namespace

ContentsReader::ContentsReader(Connection& source, ContentsFunctions functions, const std::vector<Connection*>& helpers)
    : source_(source), functions_(std::move(functions)), sessions_{{&source}} {
  for (Connection* helper : helpers) sessions_.push_back({helper});
}

void ContentsReader::Begin(std::vector<ListedTable> tables) {
  for (ListedTable& listed : tables) {
    if (listed.partitioned) continue;
    core::TableRows table;
    table.oid = listed.oid;
    table.name = std::move(listed.name);
    table.root = std::move(listed.root);
    table.in_part = listed.in_part;
    tables_.push_back(std::move(table));
  }
  tables_.push_back({kLargeObjects, "large objects", {}, {}, {}, false});
  if (!recovery_) sequences_ = ReadSequences();
}

void ContentsReader::ExpectRecovery() {
  recovery_ = true;
  sequences_ = ReadSequences();
}

std::map<std::string, SequenceState> ContentsReader::ReadSequences() {
  std::map<std::string, SequenceState> values;
  try {
    std::string last = "0";
    for (std::size_t read = kSequencesAtOnce; read == kSequencesAtOnce;) {
      const std::vector<Row> rows = source_.Query(SequencesBy(functions_.sequence, last));
      for (const Row& row : rows) {
        last = row[7].value_or("");
        if (row[6] != "t") continue;
        values[row[0].value_or("")] = {Number(row[1]),     Number(row[2]), Number(row[3]),
                                       Number(row[4]) > 0, row[5] == "t",  Number(row[4])};
      }
      read = rows.size();
    }
  } catch (const core::Error& error) {
    if (error.sqlstate() == kLockNotAvailable) {
      throw core::Error(kLockNotAvailable, "a sequence could not be read: another transaction holds it locked", "",
                        "It is waited for as long as mfi.backup_lock_timeout says; pg_locks names the session.");
    }
    if (error.sqlstate() != kNoRelation) throw;
    throw core::Error(core::sqlstate::kObjectNotInPrerequisiteState,
                      "a sequence was dropped or replaced while the backup began", error.what(), "Start it again.");
  }
  return values;
}

/// A scan by OID, of what was locked. It evaluates nothing of the table's owner's. A query does: its plan computes the
/// constant parts of the table's index expressions, predicates and statistics with the rights of the session.
void ContentsReader::Ask(Session& session) {
  while (next_ < tables_.size() && tables_[next_].in_part) ++next_;
  if (next_ == tables_.size()) return;
  session.reading = &tables_[next_++];
  session.connection->Send("SELECT rows, hash FROM " + functions_.table + "(" + std::to_string(session.reading->oid) +
                           "::pg_catalog.oid" + functions_.as_of + ")");
}

bool ContentsReader::Step(std::chrono::milliseconds limit) {
  constexpr std::chrono::milliseconds kTurn{5};
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + limit;
  for (bool reading = true; reading;) {
    reading = false;
    for (Session& session : sessions_) {
      if (session.reading == nullptr) Ask(session);
      if (session.reading == nullptr) continue;
      reading = true;
      const auto turn = sessions_.size() == 1 ? deadline : std::min(deadline, Clock::now() + kTurn);
      if (!session.connection->Ready(turn)) continue;
      const Row row = session.connection->Take().at(0);
      session.reading->rows = Number(row[0]);
      session.reading->hash = row[1].value_or("");
      session.reading = nullptr;
    }
    if (reading && Clock::now() >= deadline) return false;
  }
  return true;
}

core::Contents ContentsReader::Finish() {
  while (!Step(std::chrono::hours(1))) {
  }
  core::Contents contents;
  contents.large_objects = tables_.back().rows.value_or(0);
  contents.large_objects_hash = tables_.back().hash;
  tables_.pop_back();
  contents.tables = std::move(tables_);
  for (const auto& [name, after] : ReadSequences()) {
    const auto before = sequences_.find(name);
    if (before == sequences_.end()) continue;
    contents.sequences.push_back(recovery_ ? RecoveredRangeOf(name, before->second, after)
                                           : RangeOf(name, before->second, after));
  }
  for (const Row& row : source_.Query(kConstraints)) contents.invalid_constraints.push_back(row[0].value_or(""));
  contents.database_bytes = Number(source_.Value(kDatabaseSize));
  return contents;
}

/// Back to its beginning it may have gone in any way, and more than once.
core::SequenceRange RangeOf(const std::string& name, const SequenceState& before, const SequenceState& after) {
  constexpr std::int64_t kSoonAround = 10'000'000;
  const bool went_back = before.upward ? after.position < before.position : after.position > before.position;
  const bool soon_around = before.cycles && before.most / 2 - before.least / 2 < kSoonAround / 2;
  const bool moved = before.position != after.position;
  if (went_back || soon_around || (before.cycles && moved)) {
    return {name, std::min({before.least, before.position, after.position}),
            std::max({before.most, before.position, after.position})};
  }
  return {name, std::min(before.position, after.position), std::max(before.position, after.position)};
}

core::SequenceRange RecoveredRangeOf(const std::string& name, const SequenceState& before, const SequenceState& after) {
  constexpr std::int64_t kLogged = 32;
  core::SequenceRange range = RangeOf(name, before, after);
  if (before.cycles) return {name, std::min(before.least, range.low), std::max(before.most, range.high)};
  // Not past its last value, which may be the largest number there is.
  const std::int64_t end = before.upward ? before.most : before.least;
  std::int64_t ahead = 0;
  std::int64_t& edge = before.upward ? range.high : range.low;
  if (__builtin_mul_overflow(kLogged, before.step, &ahead) || __builtin_add_overflow(edge, ahead, &ahead)) ahead = end;
  edge = before.upward ? std::max(edge, std::min(ahead, end)) : std::min(edge, std::max(ahead, end));
  return range;
}

ContentsFunctions MakeContentsFunctions(Connection& connection) {
  const auto found = connection.Query(kInstalled);
  std::string schema = "pg_temp.";
  if (found.size() == std::size(kMakeFunctions)) {
    schema = found[0][0].value_or("");
  } else {
    const Row where = connection.Query("SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.current_database()").at(0);
    if (where[0] == "t") {
      throw core::Error(core::sqlstate::kObjectNotInPrerequisiteState,
                        "database \"" + core::Printable(where[1].value_or("")) +
                            "\" has no extension mfi, by whose functions a standby is read",
                        {}, "On the primary, in that database: CREATE EXTENSION mfi CASCADE");
    }
    for (const char* make : kMakeFunctions) connection.Execute(make);
  }
  return {schema + "_mfi_contents", schema + "_mfi_sequence_position"};
}

std::string CompareWithListing(const core::Contents& contents, const std::set<std::uint32_t>& tables_with_data) {
  std::string differences;
  for (const core::TableRows& table : contents.tables) {
    if (tables_with_data.count(table.oid) != 0) continue;
    if (!differences.empty()) differences += "; ";
    differences += "table " + table.name + " has no data in the archive";
  }
  return differences;
}

}  // namespace mfi::os
