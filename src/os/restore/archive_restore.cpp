#include "os/restore/archive_restore.h"

#include <algorithm>

#include "core/base/names.h"
#include "os/process/private_log.h"
#include "os/restore/matview_refresh.h"

namespace mfi::os {
namespace {

constexpr std::chrono::seconds kConnectLimit{30};
constexpr std::int64_t kLargestScript = std::int64_t{1024} * 1024 * 1024;

constexpr char kTrustedLanguages[] = "SELECT lanname FROM pg_catalog.pg_language WHERE lanpltrusted";
constexpr char kExtensionTypes[] =
    "SELECT n.nspname || '.' || t.typname FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n "
    "ON n.oid = t.typnamespace JOIN members m ON m.classid = 'pg_catalog.pg_type'::pg_catalog.regclass "
    "AND m.objid = t.oid";
constexpr char kSuperuserSettings[] = "SELECT name FROM pg_catalog.pg_settings WHERE context = 'superuser'";

/// What the frame's owner, a superuser, gives to the restorer. Extensions keep what they have taken from everybody,
/// such as dblink_connect_u; a trigger function can be called by nothing but a trigger that the source has, too.
constexpr char kGifts[] =
    "SELECT pg_catalog.format('ALTER SCHEMA %1$I OWNER TO %2$s', n.nspname, r.name) FROM restorer r, "
    "pg_catalog.pg_namespace n WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'public') "
    "AND NOT EXISTS (SELECT FROM members m WHERE m.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass "
    "AND m.objid = n.oid) "
    "UNION ALL SELECT pg_catalog.format('GRANT ALL ON SCHEMA %1$I TO %2$s', n.nspname, r.name) FROM restorer r, "
    "pg_catalog.pg_namespace n JOIN members m ON m.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass "
    "AND m.objid = n.oid "
    "UNION ALL SELECT pg_catalog.format('GRANT USAGE ON FOREIGN DATA WRAPPER %1$I TO %2$s', w.fdwname, r.name) "
    "FROM restorer r, pg_catalog.pg_foreign_data_wrapper w "
    "UNION ALL SELECT pg_catalog.format('GRANT EXECUTE ON FUNCTION %1$s TO %2$s', p.oid::pg_catalog.regprocedure, "
    "r.name) FROM restorer r, pg_catalog.pg_proc p JOIN members m ON m.classid = "
    "'pg_catalog.pg_proc'::pg_catalog.regclass AND m.objid = p.oid "
    "WHERE p.prorettype = 'pg_catalog.trigger'::pg_catalog.regtype "
    "UNION ALL SELECT pg_catalog.format('GRANT %3$s ON %1$s TO %2$s', c.oid::pg_catalog.regclass, r.name, "
    "CASE WHEN c.oid = ANY (e.extconfig) THEN 'SELECT, REFERENCES, TRIGGER, INSERT, UPDATE' "
    "ELSE 'SELECT, REFERENCES, TRIGGER' END) FROM restorer r, "
    "pg_catalog.pg_class c JOIN members m ON m.classid = 'pg_catalog.pg_class'::pg_catalog.regclass "
    "AND m.objid = c.oid JOIN pg_catalog.pg_extension e ON e.oid = m.extension WHERE c.relkind IN ('r', 'p', 'v', 'm') "
    "UNION ALL SELECT pg_catalog.format('GRANT SELECT, USAGE, UPDATE ON SEQUENCE %1$s TO %2$s', "
    "c.oid::pg_catalog.regclass, r.name) FROM restorer r, pg_catalog.pg_class c JOIN members m ON m.classid = "
    "'pg_catalog.pg_class'::pg_catalog.regclass AND m.objid = c.oid JOIN pg_catalog.pg_extension e "
    "ON e.oid = m.extension WHERE c.relkind = 'S' AND c.oid = ANY (e.extconfig)";

/// Functions that an extension itself keeps from everybody, as a listing names what privileges are for, and how the
/// restorer gets them.
constexpr char kRestrictedMembers[] =
    "SELECT n.nspname || ' FUNCTION ' || p.proname || '(', pg_catalog.format('GRANT EXECUTE ON FUNCTION %s TO %s', "
    "p.oid::pg_catalog.regprocedure, r.name) FROM restorer r, pg_catalog.pg_proc p "
    "JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace "
    "JOIN members m ON m.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND m.objid = p.oid "
    "WHERE EXISTS (SELECT FROM pg_catalog.pg_init_privs i WHERE i.classoid = m.classid AND i.objoid = p.oid)";

std::string WithMembers(const std::string& sql, const std::string& restorer) {
  return "WITH restorer (name) AS (VALUES (" + core::SqlLiteral(core::QuoteIdentifier(restorer)) +
         ")), members AS (SELECT d.classid, d.objid, d.refobjid AS extension FROM pg_catalog.pg_depend d "
         "WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e') " +
         sql;
}

std::vector<std::string> FirstColumn(Connection& connection, const std::string& sql) {
  std::vector<std::string> values;
  for (const Row& row : connection.Query(sql)) values.push_back(row[0].value_or(""));
  return values;
}

}  // namespace

ArchiveRestore::ArchiveRestore(const RestoreJob& job, Waiter& waiter) : job_(job), waiter_(waiter) {}

/// What pg_restore prints. Without a session it reads only.
std::string ArchiveRestore::Run(const Session* session, std::vector<std::string> arguments) {
  if (session != nullptr) arguments.push_back("--dbname=" + session->conninfo());
  arguments.push_back(job_.archive);
  Child child({job_.binary_directory + "/pg_restore", std::move(arguments), CleanEnvironment(), job_.niceness});
  while (!child.WaitPiece(waiter_)) job_.still_alive();
  if (child.result().exit_code == 0) return child.result().output;
  throw NotRestorable("pg_restore failed: " + ProgramWords(child.result()));
}

std::string ArchiveRestore::ListFile(const core::EntryIds& entries) {
  std::string text;
  for (const std::uint32_t id : entries) text += std::to_string(id) + ";\n";
  std::string path = job_.work_directory + "/entries";
  WriteFileAtomically(path, text, 0600);
  return path;
}

void ArchiveRestore::Begin() {
  entries_ = core::ParseListing(Run(nullptr, {"--list"}));
  for (const core::ArchiveEntry& entry : entries_) {
    if (!by_id_.emplace(entry.id, &entry).second) {
      throw NotRestorable("the archive has the entry " + std::to_string(entry.id) + " twice");
    }
  }
  const std::string script = job_.work_directory + "/definitions.sql";
  Run(nullptr, {"--verbose", "--file=" + script, "--use-list=" + ListFile(core::EntriesWithDefinitions(entries_))});
  definitions_ = core::ParseDefinitions(ReadFile(script, kLargestScript));
  RemoveTree(script);
  const std::unique_ptr<Connection> session = Open();
  Connection& superuser = *session;
  RunStatements(superuser, core::FrameOf(entries_));
  GiveFrameToRestorer(superuser);
  job_.become_member();
  for (const std::string& role : FirstColumn(superuser, "SELECT rolname FROM pg_catalog.pg_roles")) {
    if (role != job_.superuser && role != job_.restorer) owners_.insert(role);
  }
  if (job_.in_sandbox) GiveRestrictedMembers(superuser);
  plan_ = core::PlanRestore(entries_, definitions_, ReadRights(superuser));
  for (const core::EntryIds* ids : {&plan_.end, &plan_.privileges}) {
    for (const std::uint32_t id : *ids) StatementsOf(*by_id_.at(id));  // refused before anything of the database runs
  }
  GiveParameters(superuser);
}

/// A session with the settings that every archive begins with; row_security tells extensions of a restore.
std::unique_ptr<Connection> ArchiveRestore::Open(SessionKind kind, const std::string& role) {
  auto session = std::make_unique<Connection>(job_.session(kind, role), waiter_, kConnectLimit);
  for (const char* setting : {"standard_conforming_strings = on", "xmloption = content", "row_security = off"}) {
    session->Execute(std::string("SET ") + setting);
  }
  session->Execute("SET client_encoding = " + core::SqlLiteral(job_.encoding));
  session->Execute("SET search_path = ''");
  return session;
}

std::unique_ptr<Connection> ArchiveRestore::Open() { return Open(SessionKind::kRestoringSuperuser, job_.superuser); }

/// Each statement by itself, as one of its entry's kind: an archive's text never brings along another one.
void ArchiveRestore::RunStatements(Connection& superuser, const core::EntryIds& entries) {
  for (const std::uint32_t id : entries) {
    const core::ArchiveEntry& entry = *by_id_.at(id);
    for (const std::string& statement : StatementsOf(entry))
      Execute(superuser, statement, entry.kind + " " + entry.name);
  }
}

std::vector<std::string> ArchiveRestore::StatementsOf(const core::ArchiveEntry& entry) const {
  try {
    return core::SuperuserStatements(entry, definitions_);
  } catch (const core::Error& error) {
    throw NotRestorable(error.what());
  }
}

void ArchiveRestore::Execute(Connection& superuser, const std::string& statement, const std::string& what) {
  try {
    superuser.Execute(statement);
  } catch (const core::Stop&) {
    throw;
  } catch (const core::Error& error) {
    throw NotRestorable(what + " could not be restored: " + ServerWords(error));
  }
}

core::RightsOfRoles ArchiveRestore::ReadRights(Connection& superuser) {
  core::RightsOfRoles rights;
  for (const std::string& name : FirstColumn(superuser, kTrustedLanguages)) rights.trusted_languages.insert(name);
  rights.trusted_languages.insert("sql");
  for (const std::string& name : FirstColumn(superuser, kSuperuserSettings)) rights.superuser_settings.insert(name);
  for (const std::string& name : FirstColumn(superuser, WithMembers(kExtensionTypes, job_.restorer))) {
    rights.extension_types.insert(name);
  }
  return rights;
}

void ArchiveRestore::GiveFrameToRestorer(Connection& superuser) {
  for (const std::string& gift : FirstColumn(superuser, WithMembers(kGifts, job_.restorer))) superuser.Execute(gift);
}

/// What an extension keeps from everybody and somebody has been given there, as privileges in the archive tell.
void ArchiveRestore::GiveRestrictedMembers(Connection& superuser) {
  for (const Row& member : superuser.Query(WithMembers(kRestrictedMembers, job_.restorer))) {
    const std::string name = member[0].value_or("");
    const bool given = std::any_of(entries_.begin(), entries_.end(), [&](const core::ArchiveEntry& entry) {
      return entry.kind == "ACL" && entry.name.rfind(name, 0) == 0;
    });
    if (given) superuser.Execute(member[1].value_or(""));
  }
}

void ArchiveRestore::GiveParameters(Connection& superuser) {
  for (const std::string& name : plan_.parameters) {
    Execute(superuser,
            "GRANT SET ON PARAMETER " + core::QuoteIdentifier(name) + " TO " + core::QuoteIdentifier(job_.restorer),
            "the right to set " + name);
  }
}

void ArchiveRestore::RestoreEntries(bool superuser, const core::EntryIds& entries, int jobs) {
  if (entries.empty()) return;
  std::vector<std::string> arguments;
  if (jobs > 1) arguments.push_back("--jobs=" + std::to_string(jobs));
  arguments.insert(arguments.end(), {"--exit-on-error", "--no-owner", "--no-privileges", "--no-tablespaces",
                                     "--use-list=" + ListFile(entries)});
  const Session session = superuser ? job_.session(SessionKind::kRestoringSuperuser, job_.superuser)
                                    : job_.session(SessionKind::kRestorer, job_.restorer);
  Run(&session, std::move(arguments));
}

void ArchiveRestore::RestoreBody() {
  for (const core::RestoreStep& step : plan_.body) {
    if (step.by == core::Restorer::kRole) {
      RestoreEntries(false, step.entries, job_.jobs);
      continue;
    }
    if (step.by == core::Restorer::kRefresh) {
      Refresh(step.entries);
      continue;
    }
    if (step.by == core::Restorer::kSandboxed) RestoreEntries(true, step.entries, 1);
    const std::unique_ptr<Connection> session = Open();
    Connection& superuser = *session;
    if (step.by == core::Restorer::kStatements) {
      RunStatements(superuser, step.entries);
      GiveShellTypes(superuser, step.entries);
    } else {
      GiveToRestorer(superuser, step.entries);
    }
    GiveFrameToRestorer(superuser);
  }
}

void ArchiveRestore::Refresh(const core::EntryIds& entries) {
  const std::unique_ptr<Connection> superuser = Open(SessionKind::kRestoringSuperuser, job_.superuser);
  const std::unique_ptr<Connection> restorer = Open(SessionKind::kRestorer, job_.restorer);
  MatviewRefresh refresh(*superuser, *restorer);
  for (const std::uint32_t id : entries) {
    for (const std::string& statement : StatementsOf(*by_id_.at(id))) refresh.Run(statement);
  }
  not_refreshed_ = refresh.left();
}

/// Who makes a type must own the shell that stands for it so far.
void ArchiveRestore::GiveShellTypes(Connection& superuser, const core::EntryIds& entries) {
  constexpr std::string_view kCreate = "CREATE";
  for (const std::uint32_t id : entries) {
    const std::string& kind = by_id_.at(id)->kind;
    if (kind != "SHELL TYPE" && kind != "TYPE") continue;
    for (const std::string& statement : StatementsOf(*by_id_.at(id))) {
      Execute(superuser,
              "ALTER" + statement.substr(kCreate.size()) + " OWNER TO " + core::QuoteIdentifier(job_.restorer),
              "the shell of a type");
    }
  }
}

/// What hangs on objects that a superuser had to make is the restorer's to make.
void ArchiveRestore::GiveToRestorer(Connection& superuser, const core::EntryIds& entries) {
  for (const core::OwnerStatement& owner : plan_.owners) {
    if (std::find(entries.begin(), entries.end(), owner.entry) == entries.end()) continue;
    Execute(superuser, owner.text.substr(0, owner.role) + core::QuoteIdentifier(job_.restorer), "an owner");
  }
}

void ArchiveRestore::Finish() {
  const std::unique_ptr<Connection> session = Open();
  Connection& superuser = *session;
  for (const core::OwnerStatement& owner : plan_.owners) {
    const core::ArchiveEntry& entry = *by_id_.at(owner.entry);
    if (owners_.count(owner.name) == 0) {
      throw NotRestorable(entry.kind + " " + entry.name + " belongs to " + owner.name +
                          ", which is no role of the set");
    }
    Execute(superuser, owner.text, "the owner of " + entry.kind + " " + entry.name);
  }
  RunStatements(superuser, plan_.end);
  RunStatements(superuser, plan_.privileges);
}

}  // namespace mfi::os
