#include "command/restore/restore_archive.h"

#include <libpq-fe.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <set>
#include <sstream>
#include <string_view>

#include "core/backup/archive_listing.h"
#include "core/base/error.h"
#include "core/base/names.h"
#include "core/base/printable.h"
#include "core/base/sql_text.h"
#include "os/base/file.h"
#include "os/process/child.h"

namespace mfi::command {
namespace {

using core::Error;

/// A conninfo without its options. What a set's manifest says is in these, and everybody on this machine sees a
/// program's arguments, but not its environment.
struct Conninfo {
  std::string text;
  std::string options;
};

Conninfo WithoutOptions(const std::string& conninfo) {
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> parsed(PQconninfoParse(conninfo.c_str(), nullptr),
                                                                            PQconninfoFree);
  Conninfo without;
  for (const PQconninfoOption* option = parsed.get(); option != nullptr && option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    if (std::string_view(option->keyword) == "options") {
      without.options = option->val;
    } else {
      without.text += std::string(option->keyword) + "=" + core::ConninfoValue(option->val) + " ";
    }
  }
  return without;
}

/// This process's environment: pg_restore is the user's client as this program is.
std::vector<std::string> Environment(const std::string& options) {
  std::vector<std::string> environment = {"PGOPTIONS=" + options};
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (std::string_view(*variable).rfind("PGOPTIONS=", 0) != 0) environment.emplace_back(*variable);
  }
  return environment;
}

/// What was printed, line by line fit for a terminal.
std::string Lines(const std::string& text) {
  std::istringstream lines(text);
  std::string shown;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) shown += (shown.empty() ? "" : "\n    ") + core::Printable(line);
  }
  return shown;
}

/// A list for pg_restore's --use-list, for the time of this object.
class ListFile {
 public:
  explicit ListFile(const std::vector<std::uint32_t>& entries) {
    const char* directory = std::getenv("TMPDIR");  // NOLINT: one thread
    path_ = std::string(directory == nullptr ? "/tmp" : directory) + "/mfi-restore-XXXXXX";
    const os::UniqueFd fd(mkstemp(path_.data()));
    if (!fd.valid()) os::ThrowErrno(errno, "create", path_);
    std::string text;
    for (const std::uint32_t id : entries) text += std::to_string(id) + ";\n";
    if (write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
      os::ThrowErrno(errno == 0 ? ENOSPC : errno, "write", path_);
    }
  }
  ListFile(const ListFile&) = delete;
  ListFile& operator=(const ListFile&) = delete;
  ~ListFile() { unlink(path_.c_str()); }

  std::string Option() const { return "--use-list=" + path_; }

 private:
  std::string path_;
};

std::string Run(
    const std::string& program, std::vector<std::string> arguments, os::Waiter& waiter, const std::string& options = {},
    const std::function<void()>& look = [] {}) {
  os::Child child({program, std::move(arguments), Environment(options)});
  while (!child.WaitPiece(waiter)) look();
  const os::ChildResult& result = child.result();
  if (result.exit_code == 0) return result.output;
  throw Error(core::sqlstate::kExternalRoutine,
              "pg_restore ended with " + std::to_string(result.exit_code) + ":\n    " + Lines(result.errors));
}

}  // namespace

std::vector<std::string> TablespacesOf(const std::string& pg_restore, const std::string& archive, os::Waiter& waiter) {
  std::set<std::string> names;
  for (const core::SqlStatement& statement : core::SplitStatements(
           Run(pg_restore, {"--schema-only", "--no-owner", "--no-privileges", "--file=-", archive}, waiter))) {
    if (statement.text.rfind("SET default_tablespace", 0) != 0) continue;
    const std::vector<core::SqlToken> tokens = core::SplitTokens(statement.text);
    if (tokens.size() == 4 && !tokens[3].text.empty()) names.insert(tokens[3].text);
  }
  return {names.begin(), names.end()};
}

void RestoreArchive(const ArchiveJob& job, const os::Session& session, os::Waiter& waiter,
                    const std::function<void()>& look) {
  const Conninfo where = WithoutOptions(session.conninfo());
  const auto restore = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--exit-on-error", "--no-password", "--dbname=" + where.text});
    if (!job.tablespaces) arguments.emplace_back("--no-tablespaces");
    arguments.push_back(job.archive);
    Run(job.pg_restore, std::move(arguments), waiter, where.options, look);
  };
  // With row_security off, which tells extensions of a restore, the owner of a materialized view is refused to read a
  // table whose policies show him a part.
  std::vector<std::uint32_t> refreshed;
  std::vector<std::uint32_t> others;
  for (const core::ArchiveEntry& entry : core::ParseListing(Run(job.pg_restore, {"--list", job.archive}, waiter))) {
    (entry.kind == "MATERIALIZED VIEW DATA" ? refreshed : others).push_back(entry.id);
  }
  const std::string jobs = "--jobs=" + std::to_string(job.jobs);
  if (refreshed.empty()) return restore({jobs});
  {
    const ListFile list(others);
    restore({jobs, list.Option()});
  }
  const ListFile list(refreshed);
  restore({"--enable-row-security", list.Option()});
}

}  // namespace mfi::command
