#include "os/restore_proof.h"

#include <cerrno>
#include <cstring>

#include "core/error.h"
#include "core/globals.h"
#include "core/names.h"
#include "os/contents_reader.h"
#include "os/private_log.h"

namespace mfi::os {
namespace {

constexpr std::chrono::seconds kConnectLimit{30};
constexpr std::int64_t kEmptyServer = std::int64_t{64} * 1024 * 1024;

/// These exist in every server; a database with such a name is restored under another one.
std::string ScratchName(const std::string& database) {
  const bool taken = database == "postgres" || database == "template0" || database == "template1";
  return taken ? "mfi_restored" : database;
}

std::string Identifier(const std::string& name) {
  std::string quoted = "\"";
  for (const char c : name) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string CreateDatabase(const core::DatabaseProperties& source, const std::string& name) {
  using core::SqlLiteral;
  std::string sql = "CREATE DATABASE " + Identifier(name) + " TEMPLATE template0 ENCODING " +
                    SqlLiteral(source.encoding) + " LC_COLLATE " + SqlLiteral(source.collate) + " LC_CTYPE " +
                    SqlLiteral(source.ctype);
  if (source.locale_provider == "icu") sql += " LOCALE_PROVIDER icu ICU_LOCALE " + SqlLiteral(source.locale);
  if (source.locale_provider == "builtin")
    sql += " LOCALE_PROVIDER builtin BUILTIN_LOCALE " + SqlLiteral(source.locale);
  return sql;
}

std::string Restore(const ProofJob& job, ScratchServer& server, const std::string& database, const std::string& archive,
                    Waiter& waiter) {
  Child restore({job.scratch.binary_directory + "/pg_restore",
                 {"--jobs=" + std::to_string(job.jobs), "--exit-on-error", "--no-tablespaces",
                  "--dbname=" + server.Conninfo(database), archive},
                 CleanEnvironment(),
                 job.scratch.niceness});
  while (!restore.WaitPiece(waiter)) server.CheckAlive();
  if (restore.result().exit_code == 0) return "ok";
  std::string why = "pg_restore failed: " + ProgramWords(restore.result());
  // That says something of the scratch server's disk and nothing of the set.
  if (why.find(std::strerror(ENOSPC)) != std::string::npos) throw core::Error(core::sqlstate::kDiskFull, why);
  return why;
}

core::Contents CountRestored(Connection& restored) {
  restored.Execute("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
  ContentsReader reader(restored);
  reader.Begin();
  return reader.Finish();
}

}  // namespace

std::int64_t RoomForProof(const core::Manifest& manifest) {
  return manifest.contents.database_bytes + manifest.contents.database_bytes / 5 + kEmptyServer;
}

std::string ProveByRestore(const ProofJob& job, const core::Manifest& manifest, const std::string& set_path,
                           Waiter& waiter) {
  const std::string& id = manifest.run.id;
  const std::string archive = set_path + manifest.run.path.substr(id.size());
  ScratchServer server(job.scratch, waiter);
  const std::string name = ScratchName(manifest.database.name);
  {
    Connection admin(server.Conninfo("postgres"), waiter, kConnectLimit);
    const std::string globals = ReadFile(set_path + "/globals.sql");
    for (const std::string& role : core::RoleStatements(globals, job.scratch.superuser)) admin.Execute(role);
    admin.Execute(CreateDatabase(manifest.database, name));
  }
  std::string result = Restore(job, server, name, archive, waiter);
  if (result != "ok") return result;
  Connection restored(server.Conninfo(name), waiter, kConnectLimit);
  return core::CompareContents(manifest.contents, CountRestored(restored));
}

}  // namespace mfi::os
