#include <algorithm>
#include <string>

#include "core/base/error.h"
#include "core/base/timestamp.h"
#include "pg/backup/backup_facts.h"
#include "pg/backup/backup_notices.h"
#include "pg/node/node_facts.h"
#include "pg/offsite/offsite_facts.h"
#include "pg/offsite/offsite_settings.h"
#include "pg/recovery/recovery_facts.h"
#include "pg/replication/replication_facts.h"
#include "pg/server/answering.h"
#include "pg/server/bridge.h"
#include "pg/server/rows.h"
#include "pg/server/settings.h"

extern "C" {
#include "access/xlog.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(mfi_replication_status);
PG_FUNCTION_INFO_V1(mfi_replication_health);
PG_FUNCTION_INFO_V1(mfi_backup_health);
PG_FUNCTION_INFO_V1(mfi_health);
}

// The verdicts. Each function gathers facts, lets core judge and shows the judgement.
namespace mfi::pg {
namespace {

std::string NodeRole(const core::ReplicationFacts& facts) { return facts.in_recovery ? "standby" : "primary"; }

ResultRow ToRow(const core::PeerStatus& p, const std::string& role) {
  core::Reasons reasons = p.reasons;
  core::SortByGravity(reasons);
  return {core::ToString(core::Worst(reasons)),
          p.summary,
          role,
          TextOrNull(p.peer),
          TextOrNull(p.state),
          TextOrNull(p.sync_state),
          LsnOrNull(p.sent),
          LsnOrNull(p.write),
          LsnOrNull(p.flush),
          LsnOrNull(p.replay),
          Or(p.lag_bytes),
          IntervalOrNull(p.write_lag_us),
          IntervalOrNull(p.flush_lag_us),
          IntervalOrNull(p.replay_lag_us),
          SecondsOrNull(p.silent_for_s),
          TextOrNull(p.slot_name),
          TextOrNull(p.slot_wal_status),
          Or(p.slot_retained_bytes),
          Or(p.slot_safe_bytes),
          TimeOrNull(p.missing_since),
          p.never_catches_up ? Value{kEndless} : SecondsOrNull(p.catchup_eta_s),
          ReasonTexts(reasons)};
}

/// The row of a primary that has and expects no standby.
core::PeerStatus Nobody(const core::ReplicationStatus& status) {
  core::PeerStatus nobody;
  nobody.reasons = status.node_reasons;
  nobody.summary = nobody.reasons.empty() ? "no standby connected and none expected" : "no standby connected";
  return nobody;
}

Datum ReplicationStatus(FunctionCallInfo fcinfo) {
  const core::ReplicationFacts facts = GatherReplicationFacts();
  const core::ReplicationStatus status = core::JudgeReplication(facts, ConfiguredLimits());
  std::vector<ResultRow> rows;
  for (const core::PeerStatus& peer : status.peers) rows.push_back(ToRow(peer, NodeRole(facts)));
  if (rows.empty()) rows.push_back(ToRow(Nobody(status), NodeRole(facts)));
  return ReturnRows(fcinfo, rows);
}

Value PeerRole(const core::ProbeFacts& probe) {
  if (!probe.seen_ago_s) return {};
  return std::string(probe.in_recovery ? "standby" : "primary");
}

Datum ReplicationHealth(FunctionCallInfo fcinfo) {
  const core::ReplicationFacts facts = GatherReplicationFacts();
  const core::ReplicationStatus status = core::JudgeReplication(facts, ConfiguredLimits());
  const core::Reasons reasons = status.AllReasons();
  std::optional<std::int64_t> worst_lag;
  for (const core::PeerStatus& peer : status.peers) {
    if (peer.lag_bytes) worst_lag = Max(worst_lag.value_or(*peer.lag_bytes), *peer.lag_bytes);
  }
  return ReturnRows(fcinfo, {{core::ToString(core::Worst(reasons)), ReasonTexts(reasons), NextSteps(reasons),
                              NodeRole(facts), std::int64_t{facts.timeline}, std::int64_t{status.expected},
                              std::int64_t{status.connected}, Or(worst_lag), PeerRole(facts.probe),
                              facts.probe.seen_ago_s ? Value{std::int64_t{facts.probe.timeline}} : Value{},
                              SecondsOrNull(facts.probe.seen_ago_s)}});
}

Datum BackupHealth(FunctionCallInfo fcinfo) {
  const core::BackupFacts facts = GatherBackupFacts();
  const core::Reasons reasons = core::JudgeBackups(facts);
  return ReturnRows(fcinfo, {{core::ToString(core::Worst(reasons)), ReasonTexts(reasons), NextSteps(reasons),
                              TimeOrNull(core::NewestVerified(facts.sets)), TimeOrNull(NextRun())}});
}

core::Verdict VerdictNamed(const std::string& name) {
  if (name == "ok") return core::Verdict::kOk;
  return name == "unknown" ? core::Verdict::kUnknown : core::Verdict::kWarning;
}

/// What SQL found out about the schema: verdict, code, sentence and next step, one after the other.
core::Reasons ToReasons(const std::vector<std::string>& findings) {
  core::Reasons reasons;
  for (std::size_t i = 0; i + 3 < findings.size(); i += 4) {
    reasons.push_back({VerdictNamed(findings[i]), findings[i + 1], findings[i + 2], findings[i + 3]});
  }
  return reasons;
}

Datum Health(FunctionCallInfo fcinfo) {
  const std::string scope = CallPg([&] { return text_to_cstring(PG_GETARG_TEXT_PP(0)); });
  const core::Reasons schema = ToReasons(TextArray(fcinfo, 1));
  const bool all = scope == "all";
  if (!all && scope != "node" && scope != "replication" && scope != "backup" && scope != "recovery" &&
      scope != "offsite") {
    throw core::Error(core::sqlstate::kInvalidParameterValue, "there is no scope \"" + scope + "\"", {},
                      "Scopes are node, replication, backup, recovery, offsite and all.");
  }
  const bool recovery_too = all || scope == "recovery";
  const bool offsite_too = OffsiteIsOn() ? all || scope == "offsite" : scope == "offsite";
  // Both directories may hang: they are asked at the same time.
  AnswerProbe recovery_store(recovery_too || offsite_too ? settings::recovery_directory : "");
  AnswerProbe backups(offsite_too ? settings::backup_directory : "");
  core::Reasons reasons;
  const auto append = [&](const core::Reasons& more) {
    for (const core::Reason& reason : more) {
      const bool known = std::any_of(reasons.begin(), reasons.end(), [&](const core::Reason& r) {
        return r.code == reason.code && r.sentence == reason.sentence;
      });
      if (!known) reasons.push_back(reason);
    }
  };
  if (all || scope == "node") append(core::JudgeNode(GatherNodeFacts(schema)));
  if (all || scope == "replication") append(JudgeNow().AllReasons());
  if (all || scope == "backup") append(core::JudgeBackups(GatherBackupFacts()));
  if (recovery_too) {
    core::Reasons recovery = core::JudgeRecovery(GatherRecoveryFacts(recovery_store));
    // That it is off is told to who asks for it.
    if (all) std::erase_if(recovery, [](const core::Reason& reason) { return reason.code == core::kRecoveryOff; });
    append(recovery);
  }
  if (offsite_too) append(core::JudgeOffsite(GatherOffsiteFacts(backups, recovery_store)));
  core::SortByGravity(reasons);
  return ReturnRows(fcinfo, {{core::ToString(core::Worst(reasons)), ReasonTexts(reasons), NextSteps(reasons)}});
}

}  // namespace
}  // namespace mfi::pg

extern "C" Datum mfi_replication_status(PG_FUNCTION_ARGS) {
  return mfi::pg::Guard([&] { return mfi::pg::ReplicationStatus(fcinfo); });
}

extern "C" Datum mfi_replication_health(PG_FUNCTION_ARGS) {
  return mfi::pg::Guard([&] { return mfi::pg::ReplicationHealth(fcinfo); });
}

extern "C" Datum mfi_backup_health(PG_FUNCTION_ARGS) {
  return mfi::pg::Guard([&] { return mfi::pg::BackupHealth(fcinfo); });
}

extern "C" Datum mfi_health(PG_FUNCTION_ARGS) {
  return mfi::pg::Guard([&] { return mfi::pg::Health(fcinfo); });
}
