#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/backup/manifest.h"
#include "core/backup/session_settings.h"
#include "os/server/connection.h"

namespace mfi::command {

/// The server that a set is restored into, reached as psql reaches it: by PGHOST, PGPORT, PGUSER and what else libpq
/// reads. Of several it is the one that the first session is on, for all that follow. Never by the user's PGOPTIONS,
/// PGTZ and the like, which would change what values mean.
class RestoreServer {
 public:
  /// Connects to `database` for what concerns all databases. Throws Error with the next step when it cannot.
  RestoreServer(os::Waiter& waiter, std::string database);

  os::Connection& admin() { return *admin_; }

  /// A session of its own in a database.
  std::unique_ptr<os::Connection> Open(os::SessionKind kind, const std::string& database) const;

  /// What pg_restore needs to connect to a database; `more` as Session has it.
  os::Session SessionFor(os::SessionKind kind, const std::string& database, const std::string& more = {}) const;

  /// What gave values their meaning in the source's sessions, and is otherwise in those of this database.
  std::vector<core::SessionSetting> OtherSettings(const core::Manifest& manifest, const std::string& database);

  bool Exists(const std::string& database);

  /// Whether a database holds nothing but what a new one holds.
  bool IsEmpty(const std::string& database) const;

  /// Names of the tablespaces it has.
  std::vector<std::string> Tablespaces();

  /// Makes a database with the properties of the source, in a tablespace that is there or, empty, in that of every new
  /// database; it is not there afterwards when that failed, unless it was stopped.
  void Create(const core::DatabaseProperties& source, const std::string& name, const std::string& tablespace);

  /// Gives a security label. Returns why it could not be given; usually nothing.
  std::string Label(const core::SecurityLabel& label, const std::string& name);

  /// Makes it a template when the source was one.
  void MakeTemplate(const core::DatabaseProperties& source, const std::string& name);

  bool IsTemplate(const std::string& database);

  void Drop(const std::string& name);

  /// `replaced` gets the name `aside`, and `restored` the name `replaced`: both or none. Sessions in both end.
  void Swap(const std::string& replaced, const std::string& aside, const std::string& restored);

 private:
  void SetProperties(const core::DatabaseProperties& source, const std::string& name) const;

  os::Waiter& waiter_;
  std::string database_;
  std::string where_;  // keywords of the server; empty: wherever libpq finds it
  int major_ = 0;
  std::unique_ptr<os::Connection> admin_;
};

/// `name` and `suffix`, the name cut before a whole character so that both are not longer than a database's name may
/// be.
std::string WithSuffix(std::string name, const std::string& suffix);

}  // namespace mfi::command
