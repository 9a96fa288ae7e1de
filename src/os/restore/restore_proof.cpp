#include "os/restore/restore_proof.h"

#include <algorithm>
#include <functional>
#include <memory>

#include "core/backup/session_settings.h"
#include "core/base/error.h"
#include "core/base/names.h"
#include "core/base/printable.h"
#include "core/base/sql_text.h"
#include "core/restore/database_sql.h"
#include "core/restore/globals.h"
#include "os/process/private_log.h"
#include "os/restore/archive_restore.h"
#include "os/server/contents_reader.h"

namespace mfi::os {
namespace {

using core::QuoteIdentifier;

constexpr std::chrono::seconds kConnectLimit{30};
constexpr std::int64_t kEmptyServer = std::int64_t{64} * 1024 * 1024;

constexpr char kAdminDatabase[] = "template1";

/// Templates exist in every server; a database with such a name is restored under another one.
std::string ScratchName(const std::string& database) {
  const bool taken = database == "template0" || database == kAdminDatabase;
  return taken ? "mfi_restored" : database;
}

/// A name that no role of the set has.
std::string FreeName(std::string name, const std::vector<std::string>& taken) {
  while (std::find(taken.begin(), taken.end(), name) != taken.end()) name += "_";
  return name;
}

/// Every role of the set, none of which may log in or is a superuser, and one that restores. None is a member of
/// PostgreSQL's own roles, some of which may run programs and read files, nor of the scratch server's superuser.
void CreateRoles(Connection& admin, const core::GlobalRoles& roles, const std::string& restorer) {
  for (const std::string& name : roles.names) {
    admin.Execute("CREATE ROLE " + QuoteIdentifier(name) + (roles.no_inherit.count(name) != 0 ? " NOINHERIT" : "") +
                  (roles.bypass_rls.count(name) != 0 ? " BYPASSRLS" : ""));
  }
  for (const auto& [role, member, options] : roles.memberships) {
    admin.Execute("GRANT " + QuoteIdentifier(role) + " TO " + QuoteIdentifier(member) +
                  (options.empty() ? "" : " WITH " + options));
  }
  admin.Execute("CREATE ROLE " + QuoteIdentifier(restorer) + " LOGIN BYPASSRLS");
}

/// The scratch server's databases for work on roles take names as bytes, whatever encoding they are in.
void BecomeMember(Connection& admin, const core::GlobalRoles& roles, const std::string& restorer) {
  for (const std::string& role : roles.names) {
    admin.Execute("GRANT " + QuoteIdentifier(role) + " TO " + QuoteIdentifier(restorer));
  }
}

/// What the source's sessions have set, for the restorer's. Those with a dot are data of the database, and come back as
/// options of a session: there they can do no more than a role without SUPERUSER may. The others are known to be
/// harmless and belong to the role, where a name may mean what is yet to be restored. What the scratch server refuses,
/// such as a locale that is not there, is left out and told.
std::string TakeSettings(Connection& admin, const core::Manifest& manifest, const std::string& restorer,
                         std::vector<std::string>& remarks) {
  using core::SqlLiteral;
  std::vector<std::string> defined;
  for (const Row& row : admin.Query("SELECT name FROM pg_catalog.pg_settings WHERE name LIKE '%.%'")) {
    defined.push_back(row[0].value_or(""));
  }
  std::vector<core::SessionSetting> options;
  for (core::SessionSetting& setting : core::SettingsToTake(manifest.session_settings, defined)) {
    const bool dotted = setting.name.find('.') != std::string::npos;
    try {
      admin.Execute(dotted ? "SELECT pg_catalog.set_config(" + SqlLiteral(setting.name) + ", " +
                                 SqlLiteral(setting.value) + ", true)"
                           : "ALTER ROLE " + QuoteIdentifier(restorer) + " SET " + QuoteIdentifier(setting.name) +
                                 " TO " + SqlLiteral(setting.value));
      if (dotted) options.push_back(std::move(setting));
    } catch (const ServerError&) {
      remarks.push_back("the scratch server refuses the source's value of " + core::Printable(setting.name));
    }
  }
  admin.Execute("GRANT SET ON PARAMETER " + std::string(core::kPlpgsqlConflict) + " TO " + QuoteIdentifier(restorer));
  return core::AsOptions(options);
}

/// With what the verifying server preloads, where that starts.
std::unique_ptr<ScratchServer> StartServer(ScratchOptions options, Waiter& waiter, std::vector<std::string>& remarks) {
  if (!options.preload.empty()) {
    try {
      return std::make_unique<ScratchServer>(options, waiter);
    } catch (const core::Stop&) {
      throw;
    } catch (const core::Error&) {
      remarks.push_back("the scratch server did not start with " + options.preload + " preloaded, so nothing was");
    }
  }
  options.preload.clear();
  options.settings.clear();
  return std::make_unique<ScratchServer>(options, waiter);
}

/// Of views that were left empty.
std::string NotRefreshed(const std::vector<std::string>& names) {
  std::string text = "not refreshed in the proof, since what they read is outside of the database: materialized views ";
  for (std::size_t i = 0; i < names.size() && i < core::kNamedDifferences; ++i) text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > core::kNamedDifferences) {
    text += " and " + std::to_string(names.size() - core::kNamedDifferences) + " more";
  }
  return text;
}

/// Over as many sessions as `open` may be called for; nobody changes anything any more.
core::Contents ReadRestored(const std::function<std::unique_ptr<Connection>()>& open, int sessions) {
  const std::unique_ptr<Connection> first = open();
  const ContentsFunctions functions = MakeContentsFunctions(*first);
  std::vector<std::unique_ptr<Connection>> others;
  std::vector<Connection*> helpers;
  for (int i = 1; i < sessions; ++i) {
    helpers.push_back(others.emplace_back(open()).get());
    MakeContentsFunctions(*helpers.back());
  }
  ContentsReader reader(*first, functions, helpers);
  reader.Begin(ListTables(*first));
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

Proof ProveByRestore(const ProofJob& job, const core::Manifest& manifest, const std::string& set_path, Waiter& host) {
  const std::string database = ScratchName(manifest.database.name);
  const core::GlobalRoles roles = core::ParseGlobalRoles(ReadFile(set_path + "/globals.sql"));
  const std::string restorer = FreeName("mfi_restorer", roles.names);
  ScratchOptions options = job.scratch;
  options.superuser = FreeName("mfi_scratch_owner", roles.names);
  options.tables = manifest.contents.tables.size();
  options.encoding = "SQL_ASCII";
  Proof proof;
  std::vector<std::string> remarks;
  const std::unique_ptr<ScratchServer> scratch = StartServer(options, host, remarks);
  PrivateServer& server = scratch->server();
  BesideServer waiter(host, server);
  Connection admin(server.OpenAs(SessionKind::kSuperuserOnOthersData, options.superuser, kAdminDatabase), waiter,
                   kConnectLimit);
  CreateRoles(admin, roles, restorer);
  if (database == "postgres") admin.Execute("DROP DATABASE postgres");
  admin.Execute(core::CreateDatabaseStatement(manifest.database, database, restorer));
  const std::string settings = TakeSettings(admin, manifest, restorer, remarks);
  const RestoreJob restore_job{.binary_directory = job.scratch.binary_directory,
                               .archive = set_path + manifest.run.path.substr(manifest.run.id.size()),
                               .work_directory = scratch->directory(),
                               .session =
                                   [&](SessionKind kind, const std::string& role) {
                                     return server.OpenAs(kind, role, database,
                                                          kind == SessionKind::kRestorer ? settings : "");
                                   },
                               .superuser = options.superuser,
                               .restorer = restorer,
                               .encoding = manifest.database.encoding,
                               .in_sandbox = server.LackingWalls().empty(),
                               .become_member = [&] { BecomeMember(admin, roles, restorer); },
                               .jobs = job.jobs,
                               .niceness = job.scratch.niceness,
                               .still_alive = [&] { server.CheckAlive(); }};
  try {
    ArchiveRestore restore(restore_job, waiter);
    restore.Begin();
    RefuseWithoutSandbox(restore.plan(), server.LackingWalls());
    restore.RestoreBody();
    const auto open = [&] {
      return std::make_unique<Connection>(
          server.OpenAs(SessionKind::kSuperuserOnOthersData, options.superuser, database), waiter, kConnectLimit);
    };
    proof.result = core::CompareContents(manifest.contents, ReadRestored(open, job.jobs));
    if (proof.result == "ok") restore.Finish();
    if (!restore.not_refreshed().empty()) remarks.push_back(NotRefreshed(restore.not_refreshed()));
    for (const std::string& remark : remarks) proof.remark += (proof.remark.empty() ? "" : "; ") + remark;
    return proof;
  } catch (const ServerError& said) {
    // Code of the database can have chosen the words.
    throw core::Error(said.sqlstate(), "the scratch server refused a step of the proof: " + ServerWords(said));
  }
}

}  // namespace mfi::os
