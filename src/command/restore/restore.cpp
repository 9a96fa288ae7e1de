#include "command/restore/restore.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>
#include <ostream>
#include <thread>
#include <vector>

#include "command/base/command_host.h"
#include "command/restore/restore_archive.h"
#include "command/restore/restore_roles.h"
#include "command/restore/restore_room.h"
#include "command/restore/restore_rows.h"
#include "command/restore/restore_server.h"
#include "command/restore/restore_set.h"
#include "command/restore/restore_words.h"
#include "core/base/error.h"
#include "core/base/names.h"
#include "core/base/printable.h"
#include "core/base/sql_text.h"
#include "core/base/timestamp.h"
#include "os/node/server_program.h"

namespace mfi::command {
namespace {

using core::Error;
using core::Printable;
using core::QuoteIdentifier;
using os::SessionKind;

constexpr int kMostJobs = 4;
constexpr std::chrono::seconds kBetweenTellings{5};
constexpr char kDuplicateDatabase[] = "42P04";
constexpr char kUniqueViolation[] = "23505";  // the same, of who comes in the same moment
constexpr char kRolesHint[] = "A role is missing? Restore the roles too: ";

// A partitioned table stands for its parts; whether it would read foreign tables, then its other parts stand for
// themselves.
constexpr char kWithStatistics[] =
    "WITH RECURSIVE with_foreign (oid) AS (SELECT oid FROM pg_catalog.pg_class WHERE relkind = 'f' UNION "
    "SELECT i.inhparent FROM with_foreign f JOIN pg_catalog.pg_inherits i ON i.inhrelid = f.oid) "
    "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), f.oid IS NOT NULL "
    "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "LEFT JOIN with_foreign f ON f.oid = c.oid WHERE c.relkind IN ('r', 'm', 'p') AND c.relpersistence <> 't' "
    "AND (NOT c.relispartition OR pg_catalog.pg_partition_root(c.oid) IN (SELECT oid FROM with_foreign)) ORDER BY 1";

std::string Stamp(core::UtcSeconds at) {
  std::string stamp = core::FormatCompact(at);
  stamp.pop_back();  // Z
  return stamp;
}

class Restoring {
 public:
  Restoring(const RestoreOptions& options, std::ostream& out) : options_(options), out_(out) {}

  void Run() {
    try {
      Prepare();
      RestoreAll();
    } catch (const core::Stop& stop) {
      throw Error(stop.sqlstate(), std::string(stop.what()) + "; " + Left(), {}, LeftHint());
    } catch (const os::ServerError& error) {
      const std::string detail = error.detail().empty() ? "" : " (" + Printable(error.detail()) + ")";
      throw Error(error.sqlstate(), "the server says: " + Printable(error.what()) + detail + "; " + Left(), {},
                  left_.empty() && !error.hint().empty() ? Printable(error.hint()) : LeftHint());
    }
  }

 private:
  void Say(const std::string& line) { out_ << line << std::endl; }  // at once: it may take long until the next

  std::string Left() const {
    if (left_.empty()) return roles_made_ ? "no database was made; the roles stay" : "nothing was restored";
    return (swapping_ ? "nothing was replaced; database \"" : "database \"") + Printable(left_) +
           "\" is left for you to look at";
  }

  std::string LeftHint() const {
    return left_.empty() ? "Mend that and restore again." : "Then: " + DropOf(left_, template_made_);
  }

  static std::string DropOf(const std::string& database, bool is_template) {
    const std::string name = Printable(QuoteIdentifier(database));
    return (is_template ? "ALTER DATABASE " + name + " IS_TEMPLATE false; " : "") + "DROP DATABASE " + name;
  }

  /// The set as a user types it: by its own name, since another may be the latest by then.
  std::string SetWord() const {
    return ShellWord(options_.set.find('/') == std::string::npos ? set_->Name() : options_.set);
  }

  /// What can be refused is refused here, before anything is changed.
  void Prepare() {
    pg_restore_ = os::FindServerProgram("pg_restore");
    // Nobody can rename a database that he is in.
    server_.emplace(host_, options_.replace == "postgres" ? "template1" : "postgres");
    set_.emplace(FindSet(options_.set, *server_, options_.called), host_, options_.called);
    Say("Set " + Printable(set_->Name()));
    Say("Checksums: ok");
    if (!options_.replace.empty() && !server_->Exists(options_.replace)) {
      throw Error("3D000",
                  "there is no database \"" + Printable(options_.replace) + "\" to replace; nothing was changed", {},
                  "Without --replace the set is restored into a new one.");
    }
    if (!options_.into.empty() && server_->Exists(options_.into) && !server_->IsEmpty(options_.into)) {
      throw Error("42P04", "database \"" + Printable(options_.into) + "\" is not empty; nothing was restored", {},
                  "Choose another name, or put the backup in its place: " + options_.called + " --replace " +
                      ShellWord(options_.into) + " " + SetWord());
    }
    if (options_.globals) globals_ = set_->Globals();
    FindTablespaces();
  }

  void RestoreAll() {
    if (options_.globals) MakeRoles();
    MakeDatabase();
    Say("Restoring into database " + Printable(target_));
    RestoreRows();
    Compare();
    FinishDatabase();
    const std::string touched = set_->Touched();
    if (!touched.empty()) {
      throw Error(core::sqlstate::kObjectNotInPrerequisiteState,
                  touched + " of the set was touched while it was restored; " + Left(), {},
                  "Let nothing else write to the set's directory, then restore again.");
    }
    if (options_.temporary) return;
    if (options_.replace.empty()) {
      Say("Database " + Printable(target_) + " is there. To put it in place of the live one: " + options_.called +
          " --replace " + ShellWord(set_->manifest().database.name) + " " + SetWord());
    } else {
      Replace();
    }
  }

  /// Objects go to their tablespaces when all are there, the database to its own when that is.
  void FindTablespaces() {
    const core::Manifest& manifest = set_->manifest();
    const std::vector<std::string> there = server_->Tablespaces();
    const auto is_there = [&](const std::string& name) {
      return std::find(there.begin(), there.end(), name) != there.end();
    };
    std::vector<std::string> used = TablespacesOf(pg_restore_, set_->Archive(), host_);
    missing_tablespaces_ = used;
    std::erase_if(missing_tablespaces_, is_there);
    if (!missing_tablespaces_.empty()) used.clear();
    if (is_there(manifest.database.tablespace)) tablespace_ = manifest.database.tablespace;
    used.push_back(tablespace_);
    CheckRoom(*server_, used, manifest.contents.database_bytes);
  }

  void MakeRoles() {
    try {
      const core::RolesPlan plan = RestoreRoles(*server_, globals_);
      roles_made_ = !plan.made.empty();
      Say("Roles: ok, " + std::to_string(plan.made.size()) + " made, " + std::to_string(plan.kept.size()) +
          " that are there stay as they are");
      if (!plan.tablespaces.empty()) {
        Say("Tablespaces are not made here, their disks are this machine's: " + List(plan.tablespaces));
      }
    } catch (const core::Stop&) {
      throw;
    } catch (const Error& error) {
      throw Error(error.sqlstate(),
                  std::string("the roles could not be restored: ") + error.what() + "; nothing was changed", {},
                  "Without --globals roles stay as they are.");
    }
  }

  /// A name by the time of day is taken by whoever is first; who asked for a name gets that or nothing.
  void MakeDatabase() {
    const core::DatabaseProperties& source = set_->manifest().database;
    // What an earlier, failed attempt left empty may be used again.
    if (!options_.into.empty() && server_->Exists(options_.into)) server_->Drop(options_.into);
    for (core::UtcSeconds at = host_.Now();; ++at) {
      const std::string stamp = Stamp(at);
      target_ = options_.into.empty() ? WithSuffix(source.name, "_restored_" + stamp) : options_.into;
      aside_ = options_.replace.empty() ? "" : WithSuffix(options_.replace, "_before_" + stamp);
      if (options_.into.empty() && server_->Exists(target_)) continue;
      if (!aside_.empty() && server_->Exists(aside_)) continue;
      left_ = target_;
      try {
        server_->Create(source, target_, tablespace_);
        return TellProperties(source);
      } catch (const os::ServerError& error) {
        left_.clear();
        const bool taken = error.sqlstate() == kDuplicateDatabase || error.sqlstate() == kUniqueViolation;
        if (options_.into.empty() && taken) continue;
        throw Error(error.sqlstate(),
                    "database \"" + Printable(target_) + "\" could not be made with the properties of \"" +
                        Printable(source.name) + "\": " + Printable(error.what()) + "; " + Left(),
                    {}, kRolesHint + options_.called + " --globals ...");
      }
    }
  }

  /// What the database could not be given.
  void TellProperties(const core::DatabaseProperties& source) {
    if (tablespace_ != source.tablespace) {
      Say("The database is in the tablespace of every new one: this server has no " + List({source.tablespace}));
    }
    for (const core::SecurityLabel& label : source.security_labels) {
      const std::string why = server_->Label(label, target_);
      if (why.empty()) continue;
      Say("Its security label " + Printable(core::SqlLiteral(label.label)) + " of " + Printable(label.provider) +
          " is not restored: " + Printable(why));
    }
  }

  void RestoreRows() {
    if (!missing_tablespaces_.empty()) {
      Say("Everything goes to the database's own tablespace: this server has no " + List(missing_tablespaces_));
    }
    const int processors = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
    const ArchiveJob job{.pg_restore = pg_restore_,
                         .archive = set_->Archive(),
                         .jobs = options_.jobs > 0 ? options_.jobs : std::min(kMostJobs, processors),
                         .tablespaces = missing_tablespaces_.empty()};
    const std::vector<core::SessionSetting> others = server_->OtherSettings(set_->manifest(), target_);
    for (const core::SessionSetting& setting : others) {
      Say("Sessions of the source had " + Printable(setting.name) + " = " + Printable(setting.value) +
          ", those of this server have not: restored with it. To keep it:");
      Say("  ALTER DATABASE " + Printable(QuoteIdentifier(options_.replace.empty() ? target_ : options_.replace)) +
          " SET " + Printable(setting.name) + " = " + Printable(core::SqlLiteral(setting.value)));
    }
    try {
      RestoreArchive(job, server_->SessionFor(SessionKind::kRestoringSuperuser, target_, core::AsOptions(others)),
                     host_, [&] { TellProgress(); });
    } catch (const core::Stop&) {
      throw;
    } catch (const Error& error) {
      throw Error(error.sqlstate(), std::string("the restore failed: ") + error.what() + "\n    " + Left(), {},
                  LeftHint() + "\n    " + kRolesHint + options_.called + " --globals ...");
    }
  }

  /// Now and then, how large the database has become.
  void TellProgress() {
    if (std::chrono::steady_clock::now() < next_telling_) return;
    next_telling_ = std::chrono::steady_clock::now() + kBetweenTellings;
    const std::string bytes =
        server_->admin().Value("SELECT pg_catalog.pg_database_size(" + core::SqlLiteral(target_) + ")");
    Say("  " + core::FormatBytes(std::strtoll(bytes.c_str(), nullptr, 10)) + " of about " +
        core::FormatBytes(set_->manifest().contents.database_bytes));
  }

  void Compare() {
    const core::Contents& manifest = set_->manifest().contents;
    Say("Comparing the rows of " + std::to_string(manifest.tables.size()) + " tables with the manifest");
    const auto restored = server_->Open(SessionKind::kSuperuserOnOthersData, target_);
    core::Contents found;
    try {
      found = ReadRestored(*restored);
    } catch (const os::ServerError&) {
      throw;
    } catch (const core::Stop&) {
      throw;
    } catch (const Error& error) {
      throw Error(error.sqlstate(), error.what() + std::string("; ") + Left(), {},
                  error.hint() + "\n    " + LeftHint());
    }
    const ExpectedContents expected = Expected(manifest, found);
    for (const std::string& name : expected.uncounted) Say("  not counted when the set was made: " + Printable(name));
    if (expected.contents.tables.empty()) {
      Say("Rows: the manifest of this set has no counts");
    } else {
      out_ << RowsTable(expected.contents, found) << std::flush;
    }
    if (expected.counts_only) Say("Only numbers of rows are compared: the set is of a version without hashes.");
    const std::string result = core::CompareContents(expected.contents, found);
    if (result == "ok") return;
    throw Error(core::sqlstate::kDataCorrupted,
                "the restored rows differ from the manifest; nothing was replaced: " + Printable(result), {},
                "Database \"" + Printable(target_) + "\" is there to compare. " + LeftHint());
  }

  /// Only now: a migration may move rows to other tables than those the manifest counts.
  void FinishDatabase() {
    const auto restored = server_->Open(SessionKind::kRestoringSuperuser, target_);
    restored->Execute("SET search_path = pg_catalog, pg_temp");
    for (const os::Row& row : restored->Query(
             "SELECT pg_catalog.format('%I.%I', n.nspname, p.proname) FROM pg_catalog.pg_proc p "
             "JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace JOIN pg_catalog.pg_depend d "
             "ON d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'e' "
             "AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass "
             "JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid AND e.extname = 'mfi' "
             "WHERE p.proname = 'mfi_migrate_schema' AND p.pronargs = 1 AND p.proargtypes[0] = "
             "'pg_catalog.bool'::pg_catalog.regtype")) {
      for (const os::Row& step : restored->Query("SELECT * FROM " + row[0].value_or("") + "(false)")) {
        Say("Schema: " + Printable(step[0].value_or("")));
      }
    }
    GatherStatistics(*restored);
    server_->MakeTemplate(set_->manifest().database, target_);
    template_made_ = set_->manifest().database.is_template;
  }

  /// Rows are there and are those of the set, whatever comes of this: it calls functions of indexes, and reads remote
  /// tables where a table has such parts, so these are left to whoever knows that they can be reached.
  void GatherStatistics(os::Connection& restored) {
    Say("Gathering statistics");
    for (const os::Row& table : restored.Query(kWithStatistics)) {
      const std::string name = table[0].value_or("");
      try {
        if (table[1] != "t") {
          restored.Execute("ANALYZE " + name);
          continue;
        }
        Say("  not of " + Printable(name) + ", which has parts in foreign tables. When these can be reached:");
      } catch (const os::ServerError& error) {
        Say("  not of " + Printable(name) + ": " + Printable(error.what()) + ". When that is mended:");
      }
      Say("  ANALYZE " + Printable(name));
    }
  }

  void Replace() {
    Say("Putting it in the place of database " + Printable(options_.replace) + ", whose sessions end");
    swapping_ = true;
    server_->Swap(options_.replace, aside_, target_);
    Say("Database " + Printable(options_.replace) + " is the restored one; the old one is " + Printable(aside_) +
        ". When it is no longer needed:");
    Say("  " + DropOf(aside_, server_->IsTemplate(aside_)));
  }

  const RestoreOptions& options_;
  std::ostream& out_;
  CommandHost host_;
  std::string pg_restore_;
  std::optional<RestoreServer> server_;
  std::optional<RestoreSet> set_;
  std::string globals_;
  std::vector<std::string> missing_tablespaces_;
  std::string tablespace_;  // of the database; empty: that of every new one
  std::string target_;
  std::string aside_;
  std::string left_;  // a database that is there when this ends now
  std::chrono::steady_clock::time_point next_telling_ = std::chrono::steady_clock::now() + kBetweenTellings;
  bool roles_made_ = false;
  bool swapping_ = false;
  bool template_made_ = false;
};

}  // namespace

void Restore(const RestoreOptions& options, std::ostream& out) { Restoring(options, out).Run(); }

}  // namespace mfi::command
