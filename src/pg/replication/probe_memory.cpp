#include "pg/replication/probe_memory.h"

#include "core/base/printable.h"
#include "pg/server/clock.h"
#include "pg/server/shared_memory.h"

namespace mfi::pg {
namespace {

struct ProbeState {
  pid_t pid;  // 0: none runs
  std::int64_t asked_for_at_us;
  SeenPeer seen;
};

constinit SharedPart<ProbeState> memory("mfi probe");

}  // namespace

void InitProbeMemory() { memory.Share(); }

bool AskForProbe(std::int64_t again_after_us) {
  const std::int64_t now = MonotonicMicros();
  const auto m = memory.Write();
  const bool asked = m->asked_for_at_us != 0 && now - m->asked_for_at_us < again_after_us;
  if (m->pid != 0 || asked) return false;
  m->asked_for_at_us = now;
  return true;
}

bool ClaimProbe() {
  const auto m = memory.Write();
  if (m->pid != 0) return false;
  m->pid = MyProcPid;
  m->seen = {};
  m->seen.began_at_us = MonotonicMicros();
  return true;
}

void ReportPeer(bool in_recovery, int timeline, const std::string& system_identifier) {
  const auto m = memory.Write();
  m->seen.seen_at_us = MonotonicMicros();
  m->seen.in_recovery = in_recovery;
  m->seen.timeline = timeline;
  strlcpy(m->seen.system_identifier, system_identifier.c_str(), sizeof(m->seen.system_identifier));
  m->seen.error[0] = '\0';
}

void ReportPeerFailure(const std::string& error) {
  const std::string words = core::PlainWords(error, sizeof(SeenPeer::error) - 1);
  const auto m = memory.Write();
  strlcpy(m->seen.error, words.c_str(), sizeof(m->seen.error));
}

void ForgetPeer() {
  const auto m = memory.Write();
  m->asked_for_at_us = 0;
  m->seen = {};
}

void ReleaseProbe() { memory.Write()->pid = 0; }

std::optional<SeenPeer> LastSeenPeer() {
  if (!memory.IsThere()) return std::nullopt;
  return memory.Read()->seen;
}

}  // namespace mfi::pg
