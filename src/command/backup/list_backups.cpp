#include "command/backup/list_backups.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "command/base/client.h"
#include "command/base/command_host.h"
#include "core/base/printable.h"

namespace mfi::command {
namespace {

constexpr std::chrono::seconds kLimit{60};

/// All columns, whatever they are: the server makes the JSON.
void TellJson(Client& client, std::ostream& out) {
  out << client.Value(
             "SELECT jsonb_pretty(coalesce(jsonb_agg(to_jsonb(b) ORDER BY queued_at, id), '[]')) FROM mfi_backups b")
      << std::endl;
}

void TellTable(Client& client, std::ostream& out) {
  std::vector<os::Row> rows = client.Ask(
      "SELECT id, state, CASE WHEN verify_result = 'ok' THEN verify_method WHEN state = 'succeeded' THEN 'no' END, "
      "pg_size_pretty(size_bytes), CASE WHEN held THEN 'held' WHEN is_foreign THEN 'foreign' END, note "
      "FROM mfi_backups ORDER BY queued_at, id");
  for (os::Row& row : rows) {
    for (std::optional<std::string>& text : row) text = core::Printable(text.value_or(""));
  }
  rows.insert(rows.begin(), os::Row{"backup", "state", "verified by", "size", "kept", "note"});
  std::vector<std::size_t> widths(rows[0].size(), 0);
  for (const os::Row& row : rows) {
    for (std::size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], row.at(i)->size());
  }
  for (const os::Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < widths.size(); ++i) {
      line += *row.at(i);
      line.append(widths[i] - row.at(i)->size() + 2, ' ');
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
