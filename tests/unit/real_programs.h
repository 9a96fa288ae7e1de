#pragma once

#include <memory>
#include <optional>
#include <string>

#include "fake_programs.h"
#include "os/restore/scratch_server.h"
#include "os/server/connection.h"

namespace mfi::test {

/// Where the programs of $PG_CONFIG (or the pg_config in the PATH) are. Throws when there are none of a server.
std::string DirectoryOfPrograms();

/// `17` of theirs.
int MajorOfPrograms();

/// A PostgreSQL server of its own with a database, and a job that backs it up by the programs of $PG_CONFIG (or the
/// pg_config in the PATH). A program can still be replaced by a script, which finds the real one as "$REAL".
class RealPrograms : public FakePrograms {
 protected:
  /// Throws when there are no programs, or no server can be started.
  RealPrograms();

  /// A script in place of the program `name`.
  void Replace(const std::string& name, const std::string& body);
  void PutBack(const std::string& name) { Replace(name, "exec \"$REAL\" \"$@\""); }

  /// A new connection of the superuser to the database.
  os::Connection Connect(os::SessionKind kind = os::SessionKind::kRestoringSuperuser) {
    return os::Connection(source_->server().OpenAs(kind, job_.superuser, database_), host_, std::chrono::seconds(30));
  }
  std::string Sql(const std::string& sql) { return Connect().Value(sql); }

  /// Makes the database anew, with `properties` for CREATE DATABASE, and has the job back it up.
  void UseDatabase(const std::string& name, const std::string& properties = {});

  std::string real_directory_;  // of the real programs
  std::string database_ = "postgres";
  std::unique_ptr<os::ScratchServer> source_;
};

}  // namespace mfi::test
