#include "command/restore/restore_rows.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "os/server/contents_reader.h"
#include "os/server/table_list.h"

namespace mfi::command {
namespace {

using core::Contents;
using core::TableRows;

constexpr std::size_t kNameWidth = 40;
constexpr std::size_t kNumberWidth = 12;

using Tables = std::map<std::string, Contents>;  // by what is compared

Tables ByName(const Contents& contents) {
  Tables tables;
  for (const TableRows& table : contents.tables) {
    if (table.in_part) continue;
    Contents& compared = tables[table.root.empty() ? table.name : table.root];
    compared.tables.push_back(table);
    compared.large_objects_hash = std::string(32, '0');  // none
  }
  return tables;
}

std::int64_t Rows(const Contents& contents) {
  std::int64_t rows = 0;
  for (const TableRows& table : contents.tables) rows += table.rows.value_or(0);
  return rows;
}

std::string Right(const std::string& text) {
  return text.size() < kNumberWidth ? std::string(kNumberWidth - text.size(), ' ') + text : " " + text;
}

std::string Line(const std::string& name, const std::string& backup, const std::string& restored,
                 const std::string& remark) {
  std::string line = "  " + name;
  if (name.size() < kNameWidth) line.append(kNameWidth - name.size(), ' ');
  return line + Right(backup) + Right(restored) + (remark.empty() ? "" : "   " + remark) + "\n";
}

}  // namespace

ExpectedContents Expected(const Contents& manifest, const Contents& found) {
  ExpectedContents expected{manifest, {}, false};
  const auto has_hash = [](const TableRows& table) { return !table.hash.empty(); };
  if (!manifest.large_objects_hash.empty() || std::any_of(manifest.tables.begin(), manifest.tables.end(), has_hash)) {
    return expected;
  }
  std::map<std::string, const TableRows*> tables;
  for (const TableRows& table : found.tables) tables[table.name] = &table;
  Contents& contents = expected.contents;
  contents.large_objects_hash = found.large_objects_hash;
  contents.tables.clear();
  for (TableRows table : manifest.tables) {
    const auto restored = tables.find(table.name);
    if (!table.rows) {
      expected.uncounted.push_back(table.name);
      continue;
    }
    expected.counts_only = true;
    table.hash = std::string(32, '0');  // as good as any, when the table is missing
    if (restored != tables.end()) {
      table.hash = restored->second->hash;
      table.root = restored->second->root;
      table.in_part = restored->second->in_part;
    }
    contents.tables.push_back(std::move(table));
  }
  std::erase_if(contents.sequences, [&](const core::SequenceRange& sequence) {
    return std::none_of(found.sequences.begin(), found.sequences.end(),
                        [&](const core::SequenceRange& other) { return other.name == sequence.name; });
  });
  return expected;
}

std::string RowsTable(const Contents& expected, const Contents& found, const RowsTitles& titles) {
  const Tables backup = ByName(expected);
  const Tables restored = ByName(found);
  std::string text = Line("table", titles.expected, titles.found, "");
  std::int64_t of_backup = 0;
  std::int64_t of_restored = 0;
  bool equal = true;
  for (const auto& [name, source] : backup) {
    const auto it = restored.find(name);
    const Contents copy = it == restored.end() ? Contents() : it->second;
    const bool same = core::CompareContents(source, copy) == "ok";
    text += Line(core::Printable(name), std::to_string(Rows(source)),
                 it == restored.end() ? "-" : std::to_string(Rows(copy)), same ? "" : titles.other);
    of_backup += Rows(source);
    of_restored += Rows(copy);
    equal = equal && same;
  }
  return text + Line(std::to_string(backup.size()) + " tables", std::to_string(of_backup), std::to_string(of_restored),
                     equal ? "all equal" : titles.other);
}

Contents ReadRestored(os::Connection& restored) {
  os::ContentsFunctions functions;
  try {
    functions = os::MakeContentsFunctions(restored);
  } catch (const os::ServerError& error) {
    throw core::Error(
        error.sqlstate(), std::string("the restored contents could not be compared with the manifest: ") + error.what(),
        {},
        "The server reads contents by a function of mfi's library: install mfi there, of the version that "
        "this program has, then restore again.");
  }
  os::ContentsReader reader(restored, functions);
  reader.Begin(os::ListTables(restored));
  return reader.Finish();
}

}  // namespace mfi::command
