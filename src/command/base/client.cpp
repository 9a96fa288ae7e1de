#include "command/base/client.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "core/base/error.h"
#include "os/base/file.h"
#include "os/server/operator_session.h"

namespace mfi::command {
namespace {

constexpr char kSchema[] =
    "SELECT pg_catalog.set_config('search_path', pg_catalog.format('pg_catalog, %I, pg_temp', n.nspname), false) "
    "FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'mfi'";

void Set(const char* name, const std::string& value) {
  setenv(name, value.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): one thread
}

void BecomePostgres() {
  if (geteuid() != 0) return;
  const passwd* user = getpwnam("postgres");  // NOLINT(concurrency-mt-unsafe): one thread
  if (user == nullptr) throw core::Error(core::sqlstate::kUndefinedObject, "there is no user postgres");
  if (initgroups(user->pw_name, user->pw_gid) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0) {
    os::ThrowErrno(errno, "become the user", "postgres");
  }
}

}  // namespace

bool InContainer(const std::string& root) { return os::IsDirectory(root + "usr/local/lib/mfi"); }

void PrepareEnvironment(const std::string& root) {
  for (const char* name : {"PGOPTIONS", "PGTZ", "PGDATESTYLE", "PGGEQO", "PGCLIENTENCODING"}) {
    unsetenv(name);  // NOLINT(concurrency-mt-unsafe): one thread
  }
  if (!InContainer(root)) return;
  // libpq looks for certificates at home.
  Set("HOME", "/var/lib/postgresql");
  Set("PGUSER", "postgres");
  Set("PGDATABASE", "mfi_banking");
  const std::string passwords = root + "run/mfi/client.pgpass";
  if (access(passwords.c_str(), F_OK) == 0) {
    Set("PGHOST", "db-primary,db-replica");
    Set("PGTARGETSESSIONATTRS", "primary");
    Set("PGPASSFILE", passwords);
    // As between the nodes: whoever else answers gets no password.
    Set("PGSSLMODE", "require");
    Set("PGGSSENCMODE", "disable");
    Set("PGREQUIREAUTH", "scram-sha-256");
    Set("PGCHANNELBINDING", "require");
  }
  BecomePostgres();
}

Client::Client(os::Waiter& waiter, std::string name, std::chrono::seconds limit)
    : waiter_(waiter), name_(std::move(name)), limit_(limit) {}

void Client::Connect() {
  connection_ = os::OpenForOperator("", "mfi " + name_, limit_, waiter_);
  if (connection_->Query(kSchema).empty()) {
    throw core::Error(core::sqlstate::kUndefinedObject, "this database has no extension mfi", {},
                      "Set PGDATABASE to the one that has it, or make it there: CREATE EXTENSION mfi CASCADE");
  }
}

std::vector<os::Row> Client::Ask(const std::string& sql, const std::vector<std::string>& parameters) {
  try {
    if (!connection_) Connect();
    return connection_->Query(sql, parameters);
  } catch (const core::Error&) {
    connection_.reset();
    throw;
  }
}

std::string Client::Value(const std::string& sql, const std::vector<std::string>& parameters) {
  const std::vector<os::Row> rows = Ask(sql, parameters);
  return rows.size() == 1 && rows[0].size() == 1 ? rows[0][0].value_or("") : std::string();
}

}  // namespace mfi::command
