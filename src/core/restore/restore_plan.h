#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/backup/archive_listing.h"
#include "core/base/sql_text.h"

namespace mfi::core {

/// Ids of entries, in the archive's order.
using EntryIds = std::vector<std::uint32_t>;

/// Who restores an entry, and how.
enum class Restorer {
  kRole,        // the role without SUPERUSER, by pg_restore
  kStatements,  // a superuser, by statements of which each is known to be of the entry's kind
  kSandboxed,   // a superuser, by pg_restore: such objects bring code of their own
  kRefresh,     // the role without SUPERUSER, each view by itself: one that reads what is not there is told
};

/// Consecutive entries that are restored in one way.
struct RestoreStep {
  Restorer by = Restorer::kRole;
  EntryIds entries;
};

/// ALTER kind name OWNER TO role, of an entry.
struct OwnerStatement {
  std::uint32_t entry = 0;
  std::string text;
  std::size_t role = 0;  // where the role begins in the text
  std::string name;      // of the role
};

/// Who restores what, in this order. A superuser makes the frame while the database holds nothing of anybody, and the
/// end, which runs no code of the database; what lies between is restored by a role without SUPERUSER, but for the
/// objects that only a superuser may make. User mappings come last of these: while code of the database runs, no server
/// has a name and a password to log in with.
struct RestorePlan {
  EntryIds frame;                 // schemas, extensions
  std::vector<RestoreStep> body;  // superuser and restorer in turn
  std::vector<OwnerStatement> owners;
  EntryIds end;                         // comments, labels, event triggers, publications, subscriptions
  EntryIds privileges;                  // of objects, and default ones
  std::vector<std::string> parameters;  // that functions of the restorer set, and of which not everybody may
  std::vector<std::string>
      superuser_only;  // objects of the body that only a superuser may make, and whose code may run
};

/// What a server says of roles' rights, which decides who may make a function there.
struct RightsOfRoles {
  std::set<std::string> trusted_languages;
  std::set<std::string> superuser_settings;  // those that only a superuser may set
  std::set<std::string> extension_types;     // schema.name
};

/// Statements of an archive without its rows, by entry.
using Definitions = std::map<std::uint32_t, std::vector<std::string>>;
Definitions ParseDefinitions(std::string_view verbose_script);

/// Entries whose definitions a plan needs: all but rows.
EntryIds EntriesWithDefinitions(const std::vector<ArchiveEntry>& entries);

/// Schemas and extensions, the frame of a plan.
EntryIds FrameOf(const std::vector<ArchiveEntry>& entries);

/// The statements of an entry that a superuser runs, without those about its owner. Throws Error when one is not of the
/// entry's kind: an archive can have been written by anybody.
std::vector<std::string> SuperuserStatements(const ArchiveEntry& entry, const Definitions& definitions);

RestorePlan PlanRestore(const std::vector<ArchiveEntry>& entries, const Definitions& definitions,
                        const RightsOfRoles& rights);

}  // namespace mfi::core
