#include "os/server/table_list.h"

#include <cstdlib>

namespace mfi::os {
namespace {

// A member of an extension is made by CREATE EXTENSION; pg_dump takes its rows only when the extension marked it. Rows
// of hash partitions by an enum are loaded through the root, where they may go to other leaves.
constexpr char kTables[] =
    "SELECT c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname), c.relfilenode, c.relkind = 'p', e.oid IS NOT "
    "NULL, "
    "CASE WHEN c.relispartition AND EXISTS (SELECT FROM pg_catalog.pg_partition_ancestors(c.oid) a "
    "JOIN pg_catalog.pg_partitioned_table p ON p.partrelid = a.relid WHERE p.partstrat = 'h') "
    "THEN (SELECT pg_catalog.format('%I.%I', rn.nspname, r.relname) FROM pg_catalog.pg_class r "
    "JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace WHERE r.oid = pg_catalog.pg_partition_root(c.oid)) END "
    "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid "
    "AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e' "
    "LEFT JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid "
    "WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND n.nspname <> 'information_schema' "
    "AND n.nspname !~ '^pg_' AND (e.oid IS NULL OR c.oid = ANY (e.extconfig)) "
    "AND NOT (c.relpersistence = 'u' AND pg_catalog.pg_is_in_recovery()) ORDER BY 2, 1";

}  // namespace

std::vector<ListedTable> ListTables(Connection& connection) {
  std::vector<ListedTable> tables;
  for (const Row& row : connection.Query(kTables)) {
    ListedTable table;
    table.oid = static_cast<std::uint32_t>(std::strtoul(row[0].value_or("0").c_str(), nullptr, 10));
    table.name = row[1].value_or("");
    table.file = row[2].value_or("");
    table.partitioned = row[3] == "t";
    table.in_part = row[4] == "t";
    table.root = row[5].value_or("");
    tables.push_back(std::move(table));
  }
  return tables;
}

}  // namespace mfi::os
