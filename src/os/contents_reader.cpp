#include "os/contents_reader.h"

#include <algorithm>
#include <cstdlib>

#include "core/error.h"

namespace mfi::os {
namespace {

// How many tables one statement counts: few enough for a short plan, many enough to be few statements.
constexpr std::size_t kTablesAtOnce = 100;

// A member of an extension is made by CREATE EXTENSION; pg_dump takes its rows only when the extension marked it.
constexpr char kTables[] =
    "SELECT c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname), c.relfilenode, e.oid IS NULL "
    "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid "
    "AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e' "
    "LEFT JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid "
    "WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname <> 'information_schema' "
    "AND n.nspname !~ '^pg_' AND (e.oid IS NULL OR c.oid = ANY (e.extconfig)) "
    "AND NOT (c.relpersistence = 'u' AND pg_catalog.pg_is_in_recovery()) ORDER BY 2";

constexpr char kSequences[] =
    "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) "
    "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind = 'S' AND c.relpersistence = 'p' AND n.nspname !~ '^pg_' "
    "AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass "
    "AND d.objid = c.oid AND d.deptype = 'e') ORDER BY 1";

constexpr char kOwnLocks[] =
    "SELECT relation FROM pg_catalog.pg_locks WHERE pid = pg_catalog.pg_backend_pid() AND locktype = 'relation' "
    "AND granted AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = "
    "pg_catalog.current_database())";

constexpr char kConstraints[] =
    "SELECT pg_catalog.format('%I on %I.%I', k.conname, n.nspname, c.relname) FROM pg_catalog.pg_constraint k "
    "JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "WHERE NOT k.convalidated ORDER BY 1";

constexpr char kLargeObjects[] = "SELECT count(*) FROM pg_catalog.pg_largeobject_metadata";
constexpr char kDatabaseSize[] = "SELECT pg_catalog.pg_database_size(pg_catalog.current_database())";

std::int64_t Number(const std::optional<std::string>& text) {
  return std::strtoll(text.value_or("0").c_str(), nullptr, 10);
}

std::string TableList(const std::string& statement_of_one, const std::string& all) {
  return all.empty() ? statement_of_one : all + " UNION ALL " + statement_of_one;
}

}  // namespace

void ContentsReader::Begin() {
  for (const Row& row : source_.Query(kTables)) {
    Table table;
    table.rows.oid = static_cast<std::uint32_t>(Number(row[0]));
    table.rows.name = row[1].value_or("");
    table.filenode = row[2].value_or("");
    table.counted = row[3] == "t";
    tables_.push_back(std::move(table));
  }
  // Marked tables last: they are not counted.
  std::stable_partition(tables_.begin(), tables_.end(), [](const Table& table) { return table.counted; });
  sequences_ = ReadSequences();
}

std::map<std::string, std::int64_t> ContentsReader::ReadSequences() {
  std::map<std::string, std::int64_t> values;
  for (const Row& row : source_.Query(kSequences)) values[row[0].value_or("")] = 0;
  for (auto& [name, value] : values) value = Number(source_.Value("SELECT last_value FROM " + name));
  return values;
}

void ContentsReader::SendNext() {
  std::string sql;
  sent_from_ = next_;
  while (next_ < tables_.size() && tables_[next_].counted && next_ - sent_from_ < kTablesAtOnce) {
    const core::TableRows& table = tables_[next_++].rows;
    sql = TableList("SELECT " + std::to_string(table.oid) + ", count(*) FROM ONLY " + table.name, sql);
  }
  if (sql.empty()) {
    next_ = tables_.size();
    return;
  }
  source_.Execute("SAVEPOINT mfi_count");
  source_.Send(sql);
  running_ = true;
}

/// A count goes by name: that counts which relation it has locked. Another one under that name must not be taken for it,
/// and a view or foreign table there is refused by the session's settings.
void ContentsReader::CheckWhatWasLocked(std::size_t from, std::size_t to) {
  std::set<std::uint32_t> locked;
  for (const Row& row : source_.Query(kOwnLocks)) locked.insert(static_cast<std::uint32_t>(Number(row[0])));
  for (std::size_t i = from; i < to; ++i) {
    core::TableRows& table = tables_[i].rows;
    if (locked.count(table.oid) == 0) table.rows.reset();
  }
}

void ContentsReader::TakeCounts() {
  running_ = false;
  try {
    std::map<std::uint32_t, std::int64_t> counts;
    for (const Row& row : source_.Take()) counts[static_cast<std::uint32_t>(Number(row[0]))] = Number(row[1]);
    for (std::size_t i = sent_from_; i < next_; ++i) tables_[i].rows.rows = counts.at(tables_[i].rows.oid);
    CheckWhatWasLocked(sent_from_, next_);
    CheckFilenodes(sent_from_, next_);
  } catch (const core::Error& error) {
    // A table was dropped after the dump had ended and before it was counted: these tables stay uncounted.
    if (error.sqlstate() != "42P01" && error.sqlstate() != "3F000") throw;
    source_.Execute("ROLLBACK TO SAVEPOINT mfi_count");
  }
}

/// TRUNCATE and rewrites of other transactions show through an older snapshot: such a count says nothing. From the
/// count on, our lock keeps the table as it is.
void ContentsReader::CheckFilenodes(std::size_t from, std::size_t to) {
  std::string sql;
  for (std::size_t i = from; i < to; ++i) {
    sql = TableList("SELECT pg_catalog.pg_relation_filenode(" + std::to_string(tables_[i].rows.oid) + "::oid)", sql);
  }
  const std::vector<Row> rows = source_.Query(sql);
  for (std::size_t i = from; i < to; ++i) {
    if (rows.at(i - from)[0] != tables_[i].filenode) tables_[i].rows.rows.reset();
  }
}

bool ContentsReader::Step() {
  if (running_) {
    if (!source_.Ready()) return false;
    TakeCounts();
  }
  if (next_ == tables_.size()) return true;
  SendNext();
  return false;
}

core::Contents ContentsReader::Finish() {
  do {
    if (running_) TakeCounts();
    if (next_ < tables_.size()) SendNext();
  } while (running_);
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
