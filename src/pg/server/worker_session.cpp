#include "pg/server/worker_session.h"

#include "pg/server/pg.h"

extern "C" {
#include "postmaster/bgworker.h"
#include "utils/guc.h"
}

namespace mfi::pg {
namespace {

struct Setting {
  const char* name;
  const char* value;
};

// Those that this server does not know are left out: event_triggers came with 17, and plpgsql's own come with a setting
// of them, or with its first use.
constexpr Setting kNeutral[] = {
    {"search_path", "pg_catalog, pg_temp"},
    {"role", "none"},
    {"session_replication_role", "origin"},
    {"restrict_nonsystem_relation_kind", "view, foreign-table"},
    {"event_triggers", "off"},
    {"row_security", "off"},
    {"quote_all_identifiers", "off"},
    {"lc_messages", "C"},
    {"DateStyle", "ISO, MDY"},
    {"IntervalStyle", "postgres"},
    {"default_transaction_read_only", "off"},
    {"default_transaction_isolation", "read committed"},
    {"default_transaction_deferrable", "off"},
    {"synchronous_commit", "local"},
    {"statement_timeout", "0"},
    {"lock_timeout", "0"},
    {"transaction_timeout", "0"},
    {"idle_in_transaction_session_timeout", "0"},
    {"idle_session_timeout", "0"},
    {"transform_null_equals", "off"},
    {"array_nulls", "on"},
    {"constraint_exclusion", "partition"},
    {"exit_on_error", "off"},  // else an error that is caught ends the worker
    {"standard_conforming_strings", "on"},
    {"check_function_bodies", "on"},
    {"default_tablespace", ""},
    {"temp_file_limit", "-1"},
    {"TimeZone", "UTC"},
    {"plpgsql.extra_errors", "none"},
    {"plpgsql.extra_warnings", "none"},
    {"plpgsql.variable_conflict", "error"},
};

}  // namespace

void BeginWorkerSession(const char* database) {
  BackgroundWorkerInitializeConnection(database, nullptr, 0);
  // Above the settings of databases and roles, which are in force by now, and above a later reload of the
  // configuration.
  for (const Setting& setting : kNeutral) {
    if (GetConfigOption(setting.name, true, false) == nullptr) continue;
    SetConfigOption(setting.name, setting.value, PGC_SUSET, PGC_S_OVERRIDE);
  }
}

}  // namespace mfi::pg
