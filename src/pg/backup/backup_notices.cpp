#include "pg/backup/backup_notices.h"

#include "pg/server/shared_memory.h"

namespace mfi::pg {
namespace {

struct Notices {
  core::UtcSeconds next_run_at;  // 0: none
  bool schedule_held;
  char notify_failure[kReasonLength];
};

constinit SharedPart<Notices> notices("mfi backup notices");

}  // namespace

void InitBackupNotices() { notices.Share(); }

void ShowNextRun(std::optional<core::UtcSeconds> at) { notices.Write()->next_run_at = at.value_or(0); }

std::optional<core::UtcSeconds> NextRun() {
  const core::UtcSeconds at = notices.IsThere() ? notices.Read()->next_run_at : 0;
  return at == 0 ? std::nullopt : std::optional<core::UtcSeconds>(at);
}

void ShowScheduleHeld(bool held) { notices.Write()->schedule_held = held; }

bool ScheduleIsHeld() { return notices.IsThere() && notices.Read()->schedule_held; }

void ShowNotifyFailure(const std::string& failure) {
  const auto n = notices.Write();
  strlcpy(n->notify_failure, failure.c_str(), sizeof(n->notify_failure));
}

std::string NotifyFailure() { return notices.IsThere() ? notices.Read()->notify_failure : ""; }

}  // namespace mfi::pg
