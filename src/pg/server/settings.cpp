#include "pg/server/settings.h"

#include <climits>

#include "core/backup/notification.h"
#include "core/base/names.h"
#include "core/offsite/keep_rule.h"
#include "core/offsite/repository_address.h"
#include "core/schedule/cron.h"
#include "os/server/conninfo_secret.h"
#include "pg/server/bridge.h"

extern "C" {
#include "pgtime.h"
#include "utils/guc.h"
#include "utils/varlena.h"
}

namespace mfi::pg::settings {

char* database = nullptr;
char* backup_directory = nullptr;
char* backup_schedule = nullptr;
char* backup_timezone = nullptr;
bool backup_on_start = true;
int backup_retain_days = 7;
int backup_min_keep = 3;
int backup_max_age_s = 26 * 3600;
int backup_jobs = 1;
char* backup_compression = nullptr;
int backup_source = static_cast<int>(core::BackupSource::kPrimary);
char* backup_source_conninfo = nullptr;
int backup_verify = static_cast<int>(core::VerifyMethod::kRestore);
char* scratch_directory = nullptr;
int backup_timeout_s = 6 * 3600;
int proof_timeout_s = 3 * 3600;
int backup_lock_timeout_ms = 5 * 60 * 1000;
int backup_nice = 19;
bool backup_group_read = false;
char* recovery_directory = nullptr;
int recovery_window_s = 7 * 86400;
char* recovery_full_schedule = nullptr;
char* recovery_incremental_schedule = nullptr;
int recovery_target_time_s = 3600;
char* offsite_repository = nullptr;
char* offsite_password_file = nullptr;
char* offsite_environment_file = nullptr;
int offsite_interval_s = 15 * 60;
int offsite_limit_upload_kib = 0;
char* offsite_keep = nullptr;
char* offsite_drill_schedule = nullptr;
char* notify_command = nullptr;
char* expected_standbys = nullptr;
char* peer_conninfo = nullptr;
int lag_warning_mb = 64;
int lag_critical_mb = 512;
int silence_warning_s = 45;
int silence_critical_s = 180;
int transaction_warning_s = 3600;
int sample_interval_ms = 5000;
int install_schema = 0;

namespace {

constexpr config_enum_entry kVerifyOptions[] = {{"restore", static_cast<int>(core::VerifyMethod::kRestore), false},
                                                {"list", static_cast<int>(core::VerifyMethod::kList), false},
                                                {"none", static_cast<int>(core::VerifyMethod::kNone), false},
                                                {nullptr, 0, false}};

constexpr config_enum_entry kSourceOptions[] = {
    {"primary", static_cast<int>(core::BackupSource::kPrimary), false},
    {"standby", static_cast<int>(core::BackupSource::kStandby), false},
    {"prefer-standby", static_cast<int>(core::BackupSource::kPreferStandby), false},
    {nullptr, 0, false}};

constexpr config_enum_entry kInstallSchemaOptions[] = {
    {"auto", 0, false}, {"on", 1, false}, {"off", 2, false}, {nullptr, 0, false}};

extern "C" bool CheckSchedule(char** value, void**, GucSource) {
  bridge::Failure failure;
  if ((*value)[0] == '\0' || bridge::Try(failure, [&] { core::Cron::Parse(*value); })) return true;
  GUC_check_errdetail("%s.", failure.message.data());
  if (failure.hint[0] != '\0') GUC_check_errhint("%s", failure.hint.data());
  return false;
}

extern "C" bool CheckCommand(char** value, void**, GucSource) {
  bridge::Failure failure;
  if (bridge::Try(failure, [&] { core::SplitCommand(*value); })) return true;
  GUC_check_errdetail("%s.", failure.message.data());
  if (failure.hint[0] != '\0') GUC_check_errhint("%s", failure.hint.data());
  return false;
}

extern "C" bool CheckTimezone(char** value, void**, GucSource) {
  if ((*value)[0] == '\0' || pg_tzset(*value) != nullptr) return true;
  GUC_check_errdetail("Time zone \"%s\" is not known.", *value);
  GUC_check_errhint("SELECT name FROM pg_timezone_names lists the known ones, such as Africa/Kigali.");
  return false;
}

extern "C" bool CheckDirectory(char** value, void**, GucSource) {
  if ((*value)[0] == '\0' || (*value)[0] == '/') return true;
  GUC_check_errdetail("\"%s\" is not an absolute path.", *value);
  GUC_check_errhint("Give the whole path of a directory outside the data directory, or '' to turn it off.");
  return false;
}

extern "C" bool CheckCompression(char** value, void**, GucSource) {
  const char* text = *value;
  for (const char* method : {"none", "gzip", "lz4", "zstd"}) {
    const std::size_t length = strlen(method);
    if (strncmp(text, method, length) == 0 && (text[length] == '\0' || text[length] == ':')) return true;
  }
  GUC_check_errdetail("\"%s\" is no compression that pg_dump knows.", text);
  GUC_check_errhint("Examples: zstd:1 (default), lz4, gzip:6, none.");
  return false;
}

/// pg_read_all_settings shows settings, and so do configuration files, their copies and logs: a connection string may
/// not carry a secret.
extern "C" bool CheckConninfo(char** value, void**, GucSource) {
  static char keyword[64];
  bridge::Failure failure;
  keyword[0] = '\0';
  if (!bridge::Try(failure, [&] { strlcpy(keyword, os::SecretIn(*value).c_str(), sizeof(keyword)); })) {
    GUC_check_errdetail("It is no connection string.");
    GUC_check_errhint("Example: host=db-replica port=5432 user=postgres passfile=/run/secrets/pgpass");
    return false;
  }
  if (keyword[0] == '\0') return true;
  GUC_check_errdetail(
      "A connection string in a setting may not hold a password or another secret (%s): settings are shown and copied.",
      keyword);
  GUC_check_errhint("Put the password into a file that only the server's user can read: passfile=/path/of/it.");
  return false;
}

/// As CheckConninfo: a password has its place in the environment file.
extern "C" bool CheckRepository(char** value, void**, GucSource) {
  if (!core::HoldsPassword(*value)) return true;
  GUC_check_errdetail("A repository's address in a setting may not hold a password: settings are shown and copied.");
  GUC_check_errhint("Put it into mfi.offsite_environment_file, such as RESTIC_REST_PASSWORD=...");
  return false;
}

extern "C" bool CheckKeep(char** value, void**, GucSource) {
  bridge::Failure failure;
  if (bridge::Try(failure, [&] { core::ParseKeepRule(*value); })) return true;
  GUC_check_errdetail("%s.", failure.message.data());
  if (failure.hint[0] != '\0') GUC_check_errhint("%s", failure.hint.data());
  return false;
}

extern "C" bool CheckNames(char** value, void**, GucSource) {
  List* names = NIL;
  char* copy = pstrdup(*value);
  const bool valid = SplitIdentifierString(copy, ',', &names);
  list_free(names);
  pfree(copy);
  if (valid) return true;
  GUC_check_errdetail("The list of names cannot be read.");
  GUC_check_errhint(
      "Separate application_name values by commas, in double quotes where a name has capitals or "
      "spaces.");
  return false;
}

void String(const char* name, const char* description, char** variable, const char* boot, GucContext context,
            GucStringCheckHook check, int flags = 0) {
  DefineCustomStringVariable(name, description, nullptr, variable, boot, context, flags, check, nullptr, nullptr);
}

void Int(const char* name, const char* description, int* variable, int boot, int low, int high, int flags) {
  DefineCustomIntVariable(name, description, nullptr, variable, boot, low, high, PGC_SIGHUP, flags, nullptr, nullptr,
                          nullptr);
}

void Bool(const char* name, const char* description, bool* variable, bool boot) {
  DefineCustomBoolVariable(name, description, nullptr, variable, boot, PGC_SIGHUP, 0, nullptr, nullptr, nullptr);
}

}  // namespace

core::VerifyMethod BackupVerify() { return static_cast<core::VerifyMethod>(backup_verify); }

core::BackupSource BackupSource() { return static_cast<core::BackupSource>(backup_source); }

const char* ScheduleTimezone() {
  return backup_timezone != nullptr && backup_timezone[0] != '\0' ? backup_timezone
                                                                  : pg_get_timezone_name(log_timezone);
}

void Define(bool preloaded) {
  String("mfi.database", "Database that is backed up.", &database, "mfi_banking",
         preloaded ? PGC_POSTMASTER : PGC_SIGHUP, nullptr);
  String("mfi.backup_directory", "Absolute path of the directory that receives backups; empty turns them off.",
         &backup_directory, "", PGC_SIGHUP, CheckDirectory);
  String("mfi.backup_schedule", "When backups run: five cron fields or @daily and the like; empty for never.",
         &backup_schedule, "0 2 * * *", PGC_SIGHUP, CheckSchedule);
  String("mfi.backup_timezone", "Time zone of mfi.backup_schedule; empty for log_timezone.", &backup_timezone, "",
         PGC_SIGHUP, CheckTimezone);
  Bool("mfi.backup_on_start", "Takes a backup after each server start unless a verified one is younger than an hour.",
       &backup_on_start, true);
  Int("mfi.backup_retain_days", "Days a backup is kept; floors of retention always win.", &backup_retain_days, 7, 0,
      36500, 0);
  Int("mfi.backup_min_keep", "Number of newest good backups that are always kept.", &backup_min_keep, 3, 1, 10000, 0);
  Int("mfi.backup_max_age", "Age of the newest verified backup above which the verdict is critical.", &backup_max_age_s,
      26 * 3600, 60, INT_MAX, GUC_UNIT_S);
  Int("mfi.backup_jobs", "Parallel jobs of pg_dump; above 1 the archive is a directory.", &backup_jobs, 1, 1, 64, 0);
  String("mfi.backup_compression", "Compression as pg_dump --compress takes it.", &backup_compression, "zstd:1",
         PGC_SIGHUP, CheckCompression);
  DefineCustomEnumVariable("mfi.backup_source",
                           "What is dumped: the primary, the standby, or the standby with the primary standing in.",
                           nullptr, &backup_source, static_cast<int>(core::BackupSource::kPrimary), kSourceOptions,
                           PGC_SIGHUP, 0, nullptr, nullptr, nullptr);
  String("mfi.backup_source_conninfo", "Connection to the standby that is dumped; a password belongs into a passfile.",
         &backup_source_conninfo, "", PGC_SIGHUP, CheckConninfo, GUC_SUPERUSER_ONLY);
  DefineCustomEnumVariable("mfi.backup_verify",
                           "How a backup is verified: restored and compared, only read, or not at all.", nullptr,
                           &backup_verify, static_cast<int>(core::VerifyMethod::kRestore), kVerifyOptions, PGC_SIGHUP,
                           0, nullptr, nullptr, nullptr);
  String("mfi.scratch_directory",
         "Existing directory for the server that backups are restored in; empty: beside the data.", &scratch_directory,
         "", PGC_SIGHUP, CheckDirectory);
  Int("mfi.backup_timeout", "Longest duration of a backup; it is stopped and failed after that.", &backup_timeout_s,
      6 * 3600, 1, INT_MAX, GUC_UNIT_S);
  Int("mfi.proof_timeout", "Longest duration of a proof, and of reading an archive; the backup stays.",
      &proof_timeout_s, 3 * 3600, 1, INT_MAX, GUC_UNIT_S);
  Int("mfi.backup_lock_timeout", "How long pg_dump waits for a table lock.", &backup_lock_timeout_ms, 5 * 60 * 1000, 0,
      INT_MAX, GUC_UNIT_MS);
  Int("mfi.backup_nice", "Niceness of the backup's programs (0 to 19).", &backup_nice, 19, 0, 19, 0);
  Bool("mfi.backup_group_read", "Lets the group of the server's user read backups (globals.sql stays private).",
       &backup_group_read, false);
  String("mfi.recovery_directory",
         "Existing directory in which this node keeps its WAL and base backups; empty turns recovery off.",
         &recovery_directory, "", PGC_SIGHUP, CheckDirectory);
  Int("mfi.recovery_window", "How far back any second can be recovered.", &recovery_window_s, 7 * 86400, 3600, INT_MAX,
      GUC_UNIT_S);
  String("mfi.recovery_full_schedule", "Cron schedule of full base backups; empty makes only the first.",
         &recovery_full_schedule, "0 3 * * 0", PGC_SIGHUP, CheckSchedule);
  String("mfi.recovery_incremental_schedule",
         "Cron schedule of incremental base backups and of drills; empty for never.", &recovery_incremental_schedule,
         "0 3 * * *", PGC_SIGHUP, CheckSchedule);
  Int("mfi.recovery_target_time", "How long a recovery may take before the verdict warns; 0 turns that off.",
      &recovery_target_time_s, 3600, 0, INT_MAX, GUC_UNIT_S);
  String("mfi.offsite_repository", "Repository of restic that receives copies; empty turns them off.",
         &offsite_repository, "", PGC_SIGHUP, CheckRepository);
  String("mfi.offsite_password_file", "File with the repository's password, for the server's user alone (0600).",
         &offsite_password_file, "", PGC_SIGHUP, CheckDirectory);
  String("mfi.offsite_environment_file",
         "File with the environment of restic, such as the keys of its storage (0600); empty: none is needed.",
         &offsite_environment_file, "", PGC_SIGHUP, CheckDirectory);
  Int("mfi.offsite_interval", "How often the recovery store is copied.", &offsite_interval_s, 15 * 60, 10, INT_MAX,
      GUC_UNIT_S);
  Int("mfi.offsite_limit_upload", "Most that is sent, in KiB a second; 0 for no limit.", &offsite_limit_upload_kib, 0,
      0, INT_MAX, 0);
  String("mfi.offsite_keep", "Copies that are kept there, such as 7d 5w 12m; empty keeps all.", &offsite_keep, "",
         PGC_SIGHUP, CheckKeep);
  String("mfi.offsite_drill_schedule", "Cron schedule of restoring and proving a copy; empty for never.",
         &offsite_drill_schedule, "0 4 1 * *", PGC_SIGHUP, CheckSchedule);
  String("mfi.notify_command",
         "Program with arguments that is told of each backup's success or failure, of stale backups and of recovery.",
         &notify_command, "", PGC_SIGHUP, CheckCommand, GUC_SUPERUSER_ONLY);
  String("mfi.expected_standbys",
         "Standbys whose absence is reported, by application_name; empty learns them, 'none' expects none.",
         &expected_standbys, "", PGC_SIGHUP, CheckNames);
  String("mfi.peer_conninfo",
         "Connection to the other node, to notice two primaries; a password belongs into a passfile.", &peer_conninfo,
         "", PGC_SIGHUP, CheckConninfo, GUC_SUPERUSER_ONLY);
  Int("mfi.lag_warning", "Bytes of WAL a standby may be behind before the verdict warns.", &lag_warning_mb, 64, 1,
      INT_MAX, GUC_UNIT_MB);
  Int("mfi.lag_critical", "Bytes of WAL a standby may be behind before the verdict is critical.", &lag_critical_mb, 512,
      1, INT_MAX, GUC_UNIT_MB);
  Int("mfi.silence_warning", "Silence of the other node before the verdict warns.", &silence_warning_s, 45, 1, 86400,
      GUC_UNIT_S);
  Int("mfi.silence_critical", "Silence of the other node before the verdict is critical.", &silence_critical_s, 180, 1,
      86400, GUC_UNIT_S);
  Int("mfi.transaction_warning", "Age of an open transaction above which the verdict on the node warns.",
      &transaction_warning_s, 3600, 1, INT_MAX, GUC_UNIT_S);
  Int("mfi.sample_interval", "Time between two looks at replication.", &sample_interval_ms, 5000, 100, 60000,
      GUC_UNIT_MS);
  DefineCustomEnumVariable(
      "mfi.install_schema", "Whether CREATE EXTENSION makes the tables; auto leaves them to a dump being restored.",
      nullptr, &install_schema, 0, kInstallSchemaOptions, PGC_USERSET, 0, nullptr, nullptr, nullptr);
  MarkGUCPrefixReserved("mfi");
}

}  // namespace mfi::pg::settings
