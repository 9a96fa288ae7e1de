#include "command/backup/list_backups.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "command/base/client.h"
#include "command/base/command_host.h"

namespace mfi::command {
namespace {

constexpr std::chrono::seconds kLimit{60};

/// A column of mfi_backups and how its text becomes JSON.
enum class Kind { kText, kNumber, kBoolean };
struct Column {
  const char* name;
  Kind kind = Kind::kText;
};
constexpr std::array kColumns = std::to_array<Column>({
    {"id"},
    {"state"},
    {"trigger"},
    {"database"},
    {"note"},
    {"queued_at"},
    {"started_at"},
    {"finished_at"},
    {"source_node"},
    {"source_role"},
    {"source_lag_bytes", Kind::kNumber},
    {"snapshot_lsn"},
    {"timeline", Kind::kNumber},
    {"size_bytes", Kind::kNumber},
    {"path"},
    {"verify_method"},
    {"verify_result"},
    {"verified_at"},
    {"held", Kind::kBoolean},
    {"suspicious", Kind::kBoolean},
    {"system_identifier"},
    {"error"},
    {"extension_version"},
    {"schema_version"},
    {"is_foreign", Kind::kBoolean},
    {"proof_sandbox"},
});

nlohmann::ordered_json Value(const std::optional<std::string>& text, Kind kind) {
  if (!text) return {};
  switch (kind) {
    case Kind::kNumber:
      return std::stoll(*text);
    case Kind::kBoolean:
      return *text == "t";
    case Kind::kText:
      break;
  }
  return *text;
}

void TellJson(Client& client, std::ostream& out) {
  std::string list;
  for (const Column& column : kColumns) list += (list.empty() ? "" : ", ") + std::string(column.name);
  nlohmann::ordered_json backups = nlohmann::ordered_json::array();
  for (const os::Row& row : client.Ask("SELECT " + list + " FROM mfi_backups ORDER BY queued_at, id")) {
    nlohmann::ordered_json& backup = backups.emplace_back(nlohmann::ordered_json::object());
    for (std::size_t i = 0; i < kColumns.size(); ++i)
      backup[kColumns.at(i).name] = Value(row.at(i), kColumns.at(i).kind);
  }
  out << backups.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << std::endl;
}

void TellTable(Client& client, std::ostream& out) {
  std::vector<os::Row> rows = client.Ask(
      "SELECT id, state, CASE WHEN verify_result = 'ok' THEN verify_method WHEN state = 'succeeded' THEN 'no' END, "
      "pg_size_pretty(size_bytes), CASE WHEN held THEN 'held' WHEN is_foreign THEN 'foreign' END, note "
      "FROM mfi_backups ORDER BY queued_at, id");
  rows.insert(rows.begin(), os::Row{"backup", "state", "verified by", "size", "kept", "note"});
  std::vector<std::size_t> widths(rows[0].size(), 0);
  for (const os::Row& row : rows) {
    for (std::size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], row.at(i).value_or("").size());
  }
  for (const os::Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < widths.size(); ++i) {
      line += row.at(i).value_or("");
      line.append(widths[i] - row.at(i).value_or("").size() + 2, ' ');
    }
    out << line.substr(0, line.find_last_not_of(' ') + 1) << "\n";
  }
  out << std::flush;
}

}  // namespace

void ListBackups(bool json, std::ostream& out) {
  PrepareEnvironment();
  CommandHost host;
  Client client(host, "backups", kLimit);
  if (json) {
    TellJson(client, out);
  } else {
    TellTable(client, out);
  }
}

}  // namespace mfi::command
