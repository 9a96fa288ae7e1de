#pragma once

#include "core/backup/backup_source.h"
#include "core/backup/verify_method.h"
#include "pg/server/pg.h"

// Every setting of the extension. The variables hold the values in force; units as in the setting's description.
namespace mfi::pg::settings {

extern char* database;
extern char* backup_directory;
extern char* backup_schedule;
extern char* backup_timezone;
extern bool backup_on_start;
extern int backup_retain_days;
extern int backup_min_keep;
extern int backup_max_age_s;
extern int backup_jobs;
extern char* backup_compression;
extern int backup_source;  // ask BackupSource()
extern char* backup_source_conninfo;
extern int backup_verify;  // ask BackupVerify()
extern char* scratch_directory;
extern int backup_timeout_s;
extern int proof_timeout_s;
extern int backup_lock_timeout_ms;
extern int backup_nice;
extern bool backup_group_read;
extern char* recovery_directory;
extern int recovery_window_s;
extern char* recovery_full_schedule;
extern char* recovery_incremental_schedule;
extern int recovery_target_time_s;
extern char* offsite_repository;
extern char* offsite_password_file;
extern char* offsite_environment_file;
extern int offsite_interval_s;
extern int offsite_limit_upload_kib;
extern char* offsite_keep;
extern char* offsite_drill_schedule;
extern char* notify_command;
extern char* expected_standbys;
extern char* peer_conninfo;
extern int lag_warning_mb;
extern int lag_critical_mb;
extern int silence_warning_s;
extern int silence_critical_s;
extern int transaction_warning_s;
extern int sample_interval_ms;
extern int install_schema;

core::BackupSource BackupSource();
core::VerifyMethod BackupVerify();

/// Defines all settings and reserves the prefix. `preloaded`: called while shared_preload_libraries are loaded, when
/// settings that only take effect at server start can be defined.
void Define(bool preloaded);

/// The zone the schedule is read in: mfi.backup_timezone, or log_timezone when that is empty. A palloc'd or static
/// name, never NULL.
const char* ScheduleTimezone();

}  // namespace mfi::pg::settings
