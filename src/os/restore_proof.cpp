#include "os/restore_proof.h"

#include <algorithm>

#include "core/error.h"
#include "core/globals.h"
#include "core/names.h"
#include "core/sql_text.h"
#include "os/archive_restore.h"
#include "os/contents_reader.h"
#include "os/private_log.h"

namespace mfi::os {
namespace {

using core::QuoteIdentifier;

constexpr std::chrono::seconds kConnectLimit{30};
constexpr std::int64_t kEmptyServer = std::int64_t{64} * 1024 * 1024;

/// These exist in every server; a database with such a name is restored under another one.
std::string ScratchName(const std::string& database) {
  const bool taken = database == "postgres" || database == "template0" || database == "template1";
  return taken ? "mfi_restored" : database;
}

/// A name that no role of the set has.
std::string FreeName(std::string name, const std::vector<std::string>& taken) {
  while (std::find(taken.begin(), taken.end(), name) != taken.end()) name += "_";
  return name;
}

std::string CreateDatabase(const core::DatabaseProperties& source, const std::string& name, const std::string& owner) {
  using core::SqlLiteral;
  std::string sql = "CREATE DATABASE " + QuoteIdentifier(name) + " OWNER " + QuoteIdentifier(owner) +
                    " TEMPLATE template0 ENCODING " + SqlLiteral(source.encoding) + " LC_COLLATE " +
                    SqlLiteral(source.collate) + " LC_CTYPE " + SqlLiteral(source.ctype);
  if (source.locale_provider == "icu") sql += " LOCALE_PROVIDER icu ICU_LOCALE " + SqlLiteral(source.locale);
  if (source.locale_provider == "builtin") {
    sql += " LOCALE_PROVIDER builtin BUILTIN_LOCALE " + SqlLiteral(source.locale);
  }
  return sql;
}

/// Every role of the set, none of which may log in or is a superuser, and one that restores. None is a member of
/// PostgreSQL's own roles, some of which may run programs and read files, nor of the scratch server's superuser.
void CreateRoles(Connection& admin, const core::GlobalRoles& roles, const std::string& restorer) {
  for (const std::string& name : roles.names) admin.Execute("CREATE ROLE " + QuoteIdentifier(name));
  for (const auto& membership : roles.memberships) {
    admin.Execute("GRANT " + QuoteIdentifier(membership.role) + " TO " + QuoteIdentifier(membership.member));
  }
  admin.Execute("CREATE ROLE " + QuoteIdentifier(restorer) + " LOGIN BYPASSRLS");
}

core::Contents CountRestored(Connection& restored) {
  restored.Execute("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
  ContentsReader reader(restored);
  reader.Begin();
  return reader.Finish();
}

void RefuseWithoutSandbox(const core::RestorePlan& plan, const std::string& lacking) {
  if (lacking.empty() || plan.superuser_only.empty()) return;
  std::string objects = plan.superuser_only.front();
  if (plan.superuser_only.size() > 1) {
    objects += " and " + std::to_string(plan.superuser_only.size() - 1) + " more of that kind";
  }
  throw core::Error(core::sqlstate::kObjectNotInPrerequisiteState,
                    "only a superuser may restore " + objects + ", and the sandbox for that is not whole: " + lacking);
}

}  // namespace

std::int64_t RoomForProof(const core::Manifest& manifest) {
  return manifest.contents.database_bytes + manifest.contents.database_bytes / 5 + kEmptyServer;
}

std::string ProveByRestore(const ProofJob& job, const core::Manifest& manifest, const std::string& set_path,
                           Waiter& waiter) {
  const std::string database = ScratchName(manifest.database.name);
  const core::GlobalRoles roles = core::ParseGlobalRoles(ReadFile(set_path + "/globals.sql"));
  const std::string restorer = FreeName("mfi_restorer", roles.names);
  ScratchOptions options = job.scratch;
  options.superuser = FreeName("mfi_scratch_owner", roles.names);
  ScratchServer server(options, waiter);
  {
    Connection admin(server.OpenAs(SessionKind::kSuperuserOnOthersData, options.superuser, "postgres"), waiter,
                     kConnectLimit);
    CreateRoles(admin, roles, restorer);
    admin.Execute(CreateDatabase(manifest.database, database, restorer));
  }
  const RestoreJob restore_job{
      .binary_directory = job.scratch.binary_directory,
      .archive = set_path + manifest.run.path.substr(manifest.run.id.size()),
      .work_directory = server.directory(),
      .session = [&](SessionKind kind, const std::string& role) { return server.OpenAs(kind, role, database); },
      .superuser = options.superuser,
      .restorer = restorer,
      .encoding = manifest.database.encoding,
      .in_sandbox = server.LackingWalls().empty(),
      .roles = roles.names,
      .jobs = job.jobs,
      .niceness = job.scratch.niceness,
      .still_alive = [&] { server.CheckAlive(); }};
  try {
    ArchiveRestore restore(restore_job, waiter);
    restore.Begin();
    RefuseWithoutSandbox(restore.plan(), server.LackingWalls());
    restore.RestoreBody();
    std::string result;
    {
      Connection restored(server.OpenAs(SessionKind::kPlainOnOthersData, restorer, database), waiter, kConnectLimit);
      result = core::CompareContents(manifest.contents, CountRestored(restored));
    }
    if (result == "ok") restore.Finish();
    return result;
  } catch (const NotRestorable& why) {
    return why.what();
  } catch (const ServerError& said) {
    // Code of the database can have chosen the words.
    if (said.sqlstate().rfind("57", 0) == 0) throw;
    throw core::Error(said.sqlstate(), "the scratch server refused a step of the proof: " + ServerWords(said));
  }
}

}  // namespace mfi::os
