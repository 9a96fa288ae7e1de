#include "os/archive_restore.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/names.h"
#include "os/private_log.h"

namespace mfi::os {
namespace {

constexpr std::chrono::seconds kConnectLimit{30};
constexpr std::int64_t kLargestScript = std::int64_t{1024} * 1024 * 1024;

constexpr char kTrustedLanguages[] = "SELECT lanname FROM pg_catalog.pg_language WHERE lanpltrusted";
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
    "CASE WHEN c.oid = ANY (e.extconfig) THEN 'SELECT, INSERT, UPDATE' ELSE 'SELECT' END) FROM restorer r, "
    "pg_catalog.pg_class c JOIN members m ON m.classid = 'pg_catalog.pg_class'::pg_catalog.regclass "
    "AND m.objid = c.oid JOIN pg_catalog.pg_extension e ON e.oid = m.extension WHERE c.relkind IN ('r', 'p', 'v', 'm') "
    "UNION ALL SELECT pg_catalog.format('GRANT SELECT, USAGE, UPDATE ON SEQUENCE %1$s TO %2$s', "
    "c.oid::pg_catalog.regclass, r.name) FROM restorer r, pg_catalog.pg_class c JOIN members m ON m.classid = "
    "'pg_catalog.pg_class'::pg_catalog.regclass AND m.objid = c.oid JOIN pg_catalog.pg_extension e "
    "ON e.oid = m.extension WHERE c.relkind = 'S' AND c.oid = ANY (e.extconfig)";

/// As a listing names an object that privileges are for: `ACL schema KIND name...`.
constexpr char kMembers[] =
    "SELECT n.nspname || ' FUNCTION ' || p.proname || '(' FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n "
    "ON n.oid = p.pronamespace JOIN members m ON m.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass "
    "AND m.objid = p.oid "
    "UNION SELECT n.nspname || ' TABLE ' || c.relname || ' ' FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n "
    "ON n.oid = c.relnamespace JOIN members m ON m.classid = 'pg_catalog.pg_class'::pg_catalog.regclass "
    "AND m.objid = c.oid";

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
  const std::string why = "pg_restore failed: " + ProgramWords(child.result());
  // That says something of the target's disk and nothing of the set.
  if (why.find(std::strerror(ENOSPC)) != std::string::npos) throw core::Error(core::sqlstate::kDiskFull, why);
  throw NotRestorable(why);
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
  RestoreEntries(SessionKind::kRestoringSuperuser, core::FrameOf(entries_), false, 1);
  Connection superuser(OfSuperuser(SessionKind::kSuperuserOnOthersData), waiter_, kConnectLimit);
  GiveFrameToRestorer(superuser);
  for (const std::string& role : job_.roles) {
    superuser.Execute("GRANT " + core::QuoteIdentifier(role) + " TO " + core::QuoteIdentifier(job_.restorer));
  }
  RestoreEntries(SessionKind::kRestoringSuperuser, PrivilegesOfMembers(superuser), true, 1);
  const std::string script = job_.work_directory + "/definitions.sql";
  Run(nullptr, {"--verbose", "--no-privileges", "--file=" + script,
                "--use-list=" + ListFile(core::EntriesWithDefinitions(entries_))});
  plan_ = core::PlanRestore(entries_, core::ParseDefinitions(ReadFile(script, kLargestScript)), ReadRights(superuser));
  RemoveTree(script);
}

core::RightsOfRoles ArchiveRestore::ReadRights(Connection& superuser) {
  core::RightsOfRoles rights;
  for (const std::string& name : FirstColumn(superuser, kTrustedLanguages)) rights.trusted_languages.insert(name);
  rights.trusted_languages.insert("sql");
  for (const std::string& name : FirstColumn(superuser, kSuperuserSettings)) rights.superuser_settings.insert(name);
  return rights;
}

void ArchiveRestore::GiveFrameToRestorer(Connection& superuser) {
  for (const std::string& gift : FirstColumn(superuser, WithMembers(kGifts, job_.restorer))) superuser.Execute(gift);
}

core::EntryIds ArchiveRestore::PrivilegesOfMembers(Connection& superuser) const {
  core::EntryIds ids;
  const std::vector<std::string> members = FirstColumn(superuser, WithMembers(kMembers, job_.restorer));
  for (const core::ArchiveEntry& entry : entries_) {
    if (entry.kind != "ACL") continue;
    for (const std::string& member : members) {
      if (entry.name.rfind(member, 0) != 0) continue;
      ids.push_back(entry.id);
      break;
    }
  }
  return ids;
}

void ArchiveRestore::RestoreEntries(SessionKind kind, const core::EntryIds& entries, bool privileges, int jobs) {
  if (entries.empty()) return;
  const bool superuser = kind == SessionKind::kRestoringSuperuser;
  std::vector<std::string> arguments;
  if (jobs > 1) arguments.push_back("--jobs=" + std::to_string(jobs));
  arguments.insert(arguments.end(),
                   {"--exit-on-error", "--no-owner", "--no-tablespaces", "--use-list=" + ListFile(entries)});
  if (!privileges) arguments.emplace_back("--no-privileges");
  const Session session = job_.session(kind, superuser ? job_.superuser : job_.restorer);
  Run(&session, std::move(arguments));
}

void ArchiveRestore::RestoreBody() {
  for (const core::RestoreStep& step : plan_.body) {
    if (!step.superuser) {
      RestoreEntries(SessionKind::kRestorer, step.entries, false, job_.jobs);
      continue;
    }
    RestoreEntries(SessionKind::kRestoringSuperuser, step.entries, false, 1);
    Connection superuser(OfSuperuser(SessionKind::kSuperuserOnOthersData), waiter_, kConnectLimit);
    GiveFrameToRestorer(superuser);
    // What hangs on these objects is the restorer's to make.
    for (const core::OwnerStatement& owner : plan_.owners) {
      if (std::find(step.entries.begin(), step.entries.end(), owner.entry) == step.entries.end()) continue;
      GiveTo(superuser, owner.text.substr(0, owner.role) + core::QuoteIdentifier(job_.restorer));
    }
  }
}

void ArchiveRestore::GiveTo(Connection& superuser, const std::string& statement) {
  try {
    superuser.Execute(statement);
  } catch (const core::Error& error) {
    if (error.sqlstate() == core::sqlstate::kConnectionFailure || error.sqlstate().rfind("57", 0) == 0) throw;
    throw NotRestorable("an object could not be given to its owner: " + std::string(error.what()) + ": " + statement);
  }
}

void ArchiveRestore::Finish() {
  {
    Connection superuser(OfSuperuser(SessionKind::kSuperuserOnOthersData), waiter_, kConnectLimit);
    for (const core::OwnerStatement& owner : plan_.owners) GiveTo(superuser, owner.text);
  }
  RestoreEntries(SessionKind::kRestoringSuperuser, plan_.end, false, 1);
  RestoreEntries(SessionKind::kRestoringSuperuser, plan_.privileges, true, 1);
}

}  // namespace mfi::os
