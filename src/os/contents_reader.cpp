#include "os/contents_reader.h"

#include <algorithm>
#include <cstdlib>

#include "core/error.h"

namespace mfi::os {
namespace {

// A member of an extension is made by CREATE EXTENSION; pg_dump takes its rows only when the extension marked it.
constexpr char kTables[] =
    "SELECT c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname), c.relfilenode, e.oid IS NULL, "
    "(SELECT pg_catalog.format(' (%I)', a.attname) FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid "
    "AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' "
    "ORDER BY a.attlen <= 0, a.attlen, a.attnum LIMIT 1) "
    "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid "
    "AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e' "
    "LEFT JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid "
    "WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname <> 'information_schema' "
    "AND n.nspname !~ '^pg_' AND (e.oid IS NULL OR c.oid = ANY (e.extconfig)) "
    "AND NOT (c.relpersistence = 'u' AND pg_catalog.pg_is_in_recovery()) ORDER BY 2";

// By OID, and the lock that this takes lasts: a table that got the sequence's name meanwhile would be read with a plan,
// which computes what its owner wrote. pg_dump reads all of these, of which those of extensions are not compared.
constexpr char kSequences[] =
    "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), pg_catalog.pg_sequence_last_value(c.oid), "
    "c.relpersistence = 'p' AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d "
    "WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e') "
    "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' ORDER BY 1";

constexpr char kOwnLock[] =
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_locks WHERE pid = pg_catalog.pg_backend_pid() AND granted "
    "AND locktype = 'relation' AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = "
    "pg_catalog.current_database()) AND relation = ";

constexpr char kConstraints[] =
    "SELECT pg_catalog.format('%I on %I.%I', k.conname, n.nspname, c.relname) FROM pg_catalog.pg_constraint k "
    "JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "WHERE NOT k.convalidated ORDER BY 1";

constexpr char kLargeObjects[] = "SELECT count(*) FROM pg_catalog.pg_largeobject_metadata";
constexpr char kDatabaseSize[] = "SELECT pg_catalog.pg_database_size(pg_catalog.current_database())";

constexpr char kLockNotAvailable[] = "55P03";
constexpr char kNoRelation[] = "XX000";  // of an OID

core::Error LockTimeout(const std::string& what) {
  return {
      kLockNotAvailable, what + " could not be counted: another transaction holds it locked", "",
      "It is waited for as long as mfi.backup_lock_timeout says; pg_locks and pg_blocking_pids() name the session."};
}

std::int64_t Number(const std::optional<std::string>& text) {
  return std::strtoll(text.value_or("0").c_str(), nullptr, 10);
}

}  // namespace

void ContentsReader::Begin() {
  for (const Row& row : source_.Query(kTables)) {
    Table table;
    table.rows.oid = static_cast<std::uint32_t>(Number(row[0]));
    table.rows.name = row[1].value_or("");
    table.filenode = row[2].value_or("");
    table.counted = row[3] == "t";
    table.column = row[4].value_or("");
    tables_.push_back(std::move(table));
  }
  // Marked tables last: they are not counted.
  std::stable_partition(tables_.begin(), tables_.end(), [](const Table& table) { return table.counted; });
  sequences_ = ReadSequences();
}

/// A sequence that nobody has called yet counts as 0.
std::map<std::string, std::int64_t> ContentsReader::ReadSequences() {
  std::map<std::string, std::int64_t> values;
  try {
    for (const Row& row : source_.Query(kSequences)) {
      if (row[2] == "t") values[row[0].value_or("")] = Number(row[1]);
    }
  } catch (const core::Error& error) {
    if (error.sqlstate() == kLockNotAvailable) throw LockTimeout("a sequence");
    if (error.sqlstate() != kNoRelation) throw;
    throw core::Error(core::sqlstate::kObjectNotInPrerequisiteState,
                      "a sequence was dropped or replaced while the backup began", error.what(), "Start it again.");
  }
  return values;
}

/// COPY of a table evaluates nothing of its owner's. A query does: its plan computes the constant parts of the table's
/// index expressions, predicates and statistics with the rights of the session. The shortest column stands for the row.
void ContentsReader::SendNext() {
  const Table& table = tables_[next_];
  source_.Execute("SAVEPOINT mfi_count");
  source_.Send("COPY " + table.rows.name + table.column + " TO STDOUT");
  running_ = true;
  count_ = 0;
}

bool ContentsReader::TakeRows(std::chrono::milliseconds limit) {
  try {
    if (!source_.TakeCopy([this](std::string_view) { ++count_; }, limit)) return false;
    Table& table = tables_[next_];
    if (IsAsListed(table)) table.rows.rows = count_;
    source_.Execute("RELEASE SAVEPOINT mfi_count");
  } catch (const core::Error& error) {
    if (error.sqlstate() == kLockNotAvailable) throw LockTimeout("table " + tables_[next_].rows.name);
    // The table was dropped after the dump had ended and before it was counted: it stays uncounted.
    if (error.sqlstate() != "42P01" && error.sqlstate() != "3F000" && error.sqlstate() != "42703") throw;
    source_.Execute("ROLLBACK TO SAVEPOINT mfi_count");
  }
  running_ = false;
  ++next_;
  return true;
}

/// A count goes by name: which relation it has locked tells what was counted, since another one may have that name by
/// now. TRUNCATE and rewrites of other transactions show through an older snapshot: such a count says nothing. From the
/// count on, our lock keeps the table as it is.
bool ContentsReader::IsAsListed(const Table& table) {
  const std::string oid = std::to_string(table.rows.oid);
  const Row row = source_.Query(kOwnLock + oid + "), pg_catalog.pg_relation_filenode(" + oid + "::oid)").at(0);
  return row[0] == "t" && row[1] == table.filenode;
}

bool ContentsReader::Step(std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (next_ < tables_.size() && tables_[next_].counted) {
    if (!running_) SendNext();
    const auto left = deadline - std::chrono::steady_clock::now();
    if (left.count() <= 0) return false;
    TakeRows(std::chrono::duration_cast<std::chrono::milliseconds>(left));
  }
  return true;
}

core::Contents ContentsReader::Finish() {
  while (!Step(std::chrono::hours(1))) {
  }
  core::Contents contents;
  for (Table& table : tables_) contents.tables.push_back(std::move(table.rows));
  for (const auto& [name, after] : ReadSequences()) {
    const auto before = sequences_.find(name);
    if (before == sequences_.end()) continue;
    contents.sequences.push_back({name, std::min(before->second, after), std::max(before->second, after)});
  }
  contents.large_objects = Number(source_.Value(kLargeObjects));
  for (const Row& row : source_.Query(kConstraints)) contents.invalid_constraints.push_back(row[0].value_or(""));
  contents.database_bytes = Number(source_.Value(kDatabaseSize));
  return contents;
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
