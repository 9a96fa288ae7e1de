#include "command/backup/take_backup.h"

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>

#include "command/base/client.h"
#include "command/base/command_host.h"
#include "command/base/progress.h"
#include "core/base/error.h"
#include "core/base/names.h"

namespace mfi::command {
namespace {

using core::SqlLiteral;
using std::chrono::steady_clock;

constexpr std::chrono::seconds kLimitOfQueueing{60};
constexpr std::chrono::milliseconds kLookAgain{500};
constexpr std::chrono::seconds kUnknownForSoLong{60};

struct Run {
  std::string state;
  std::string error;
  std::string verify_method;
  std::string verify_result;
  std::string path;
  std::string size_bytes;
  std::string size;
  std::string details;  // of its progress

  bool Ended() const { return state == "succeeded" || state == "failed" || state == "cancelled"; }
  bool Proven() const { return verify_method == "none" || verify_result == "ok"; }
};

std::string OneLine(std::string text) {
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  return text;
}

/// Nothing while the server has no such run.
std::optional<Run> Look(Client& client, const std::string& id) {
  const std::vector<os::Row> rows = client.Ask(
      "SELECT b.state, b.error, b.verify_method, b.verify_result, b.path, b.size_bytes, pg_size_pretty(b.size_bytes), "
      "concat_ws(', ', pg_size_pretty(p.bytes), p.percent || ' %', date_trunc('second', p.eta) || ' left') "
      "FROM mfi_backups b LEFT JOIN mfi_backup_progress p USING (id) WHERE b.id = " +
      SqlLiteral(id));
  if (rows.empty()) return std::nullopt;
  const auto text = [&](std::size_t column) { return OneLine(rows[0].at(column).value_or("")); };
  return Run{text(0), text(1), text(2), text(3), text(4), text(5), text(6), text(7)};
}

/// The server may restart meanwhile: its record of the run tells the end.
Run WaitForEnd(Client& client, CommandHost& host, const std::string& id, Progress& progress) {
  auto known = steady_clock::now();
  for (;;) {
    try {
      if (const std::optional<Run> run = Look(client, id)) {
        if (run->Ended()) return *run;
        progress.Show(run->state, run->details);
        known = steady_clock::now();
      } else if (steady_clock::now() - known > kUnknownForSoLong) {
        throw core::Error(core::sqlstate::kObjectNotInPrerequisiteState,
                          "the server no longer knows of backup " + id + ": it did not begin before a restart", {},
                          "Take another one.");
      }
    } catch (const core::Stop&) {
      throw;
    } catch (const os::ServerError& error) {
      if (error.sqlstate().substr(0, 2) != "57" && error.sqlstate().substr(0, 2) != "08") throw;
    } catch (const core::Error& error) {
      if (error.sqlstate() != core::sqlstate::kConnectionFailure) throw;
      progress.Show("waiting for the server", "");
    }
    host.Wait(-1, false, kLookAgain);
  }
}

std::string Json(const std::string& id, const Run& run) {
  nlohmann::ordered_json object{{"id", id}, {"state", run.state}};
  const auto add = [&](const char* name, const std::string& value) {
    object[name] = value.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(value);
  };
  object["size_bytes"] =
      run.size_bytes.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(std::stoll(run.size_bytes));
  add("path", run.path);
  add("verify_method", run.verify_method);
  add("verify_result", run.verify_result);
  add("error", run.error);
  return object.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string Place(const std::string& id, const Run& run) { return InContainer() ? "./backups/" + id : run.path; }

int Tell(const std::string& id, const Run& run, bool json, std::ostream& out, std::ostream& errors) {
  if (json) {
    out << Json(id, run) << std::endl;
  } else if (run.state == "succeeded") {
    out << "succeeded: " << run.size << ", " << Place(id, run)
        << ", verified: " << (run.verify_result.empty() ? "no" : run.verify_result) << std::endl;
    if (!run.Proven()) errors << "not proven: " << run.error << std::endl;
  } else {
    errors << run.state << ": " << run.error << std::endl;
  }
  if (run.state != "succeeded") return 1;
  return run.Proven() ? 0 : 2;
}

}  // namespace

int TakeBackup(const std::string& note, bool json, std::ostream& out, std::ostream& errors) {
  PrepareEnvironment();
  CommandHost host;
  std::string id;
  try {
    Client queueing(host, "backup", kLimitOfQueueing);
    id = queueing.Value("SELECT mfi_backup_now(note => nullif(" + SqlLiteral(note) + ", ''))");
  } catch (const core::Stop&) {
    throw;
  } catch (const core::Error& error) {
    throw core::Error(error.sqlstate(), std::string("no backup was queued: ") + error.what(), {},
                      error.hint().empty() ? "mfi health shows more." : error.hint());
  }
  if (!json) out << "backup " << id << std::endl;
  const Progress::To watcher = isatty(STDOUT_FILENO) == 1 ? Progress::To::kTerminal : Progress::To::kFile;
  Progress progress(out, json ? Progress::To::kNobody : watcher);
  try {
    Client client(host, "backup", std::chrono::seconds{0});
    const Run run = WaitForEnd(client, host, id, progress);
    progress.Clear();
    return Tell(id, run, json, out, errors);
  } catch (const core::Stop&) {
    errors << "\nThe backup goes on by itself; mfi backups shows its end." << std::endl;
    return 128 + SIGINT;
  }
}

}  // namespace mfi::command
