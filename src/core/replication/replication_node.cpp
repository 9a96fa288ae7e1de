#include "core/replication/replication_node.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "core/base/own_receiver.h"
#include "core/base/timestamp.h"
#include "core/replication/judge_standby.h"
#include "core/replication/peer_answer.h"
#include "core/replication/replication_slot.h"

namespace mfi::core {
namespace {

constexpr std::int64_t kMegabyte = 1024 * 1024;
constexpr std::int64_t kNoRoom = 64 * kMegabyte;

class NodeJudge {
 public:
  NodeJudge(const ReplicationFacts& facts, const ReplicationLimits& limits, const ReplicationStatus& status)
      : facts_(facts), limits_(limits), status_(status) {}

  Reasons Run() {
    TwoPrimaries();
    SyncStandbys();
    SyncReceiver();
    Disk();
    Archiver();
    Slots();
    Namesakes();
    Watched();
    return std::move(reasons_);
  }

 private:
  void Add(Verdict verdict, const char* code, std::string sentence, std::string next_step) {
    reasons_.push_back({verdict, code, std::move(sentence), std::move(next_step)});
  }

  void TwoPrimaries() {
    const ProbeFacts& probe = facts_.probe;
    if (!probe.configured) return;
    if (!probe.error.empty() || !probe.seen_ago_s || *probe.seen_ago_s >= limits_.silence_warning_s) {
      Unreachable();
      return;
    }
    if (probe.system_identifier != facts_.system_identifier) {
      Add(Verdict::kWarning, "peer-foreign",
          "the server of mfi.peer_conninfo is another database cluster (system " + probe.system_identifier + ", not " +
              facts_.system_identifier + ")",
          "Correct mfi.peer_conninfo, or clone that server from this one.");
    } else if (!facts_.in_recovery && !probe.in_recovery) {
      const bool newer = probe.timeline > facts_.timeline;
      Add(Verdict::kCritical, "two-primaries",
          "both nodes are primaries: this one on timeline " + std::to_string(facts_.timeline) +
              ", the other on timeline " + std::to_string(probe.timeline),
          std::string("Stop applications at once. ") +
              (newer ? "The other node was promoted: stop this one and make it a standby with mfi rejoin."
                     : "This node was promoted: stop the other one and make it a standby with mfi rejoin.") +
              " What was written to the one that is stopped is lost, unless you copy it first.");
    } else if (facts_.in_recovery && probe.in_recovery && facts_.receiver.wanted && !facts_.receiver.running &&
               facts_.receiver.silent_for_s.value_or(0) >= limits_.silence_warning_s) {
      Add(Verdict::kCritical, "no-primary", "both nodes are standbys: nobody takes writes",
          "Promote the one that has replayed more (mfi promote).");
    }
  }

  /// One lost answer is no reason: the peer may be restarting, and its standby or upstream row tells more.
  void Unreachable() {
    const ProbeFacts& probe = facts_.probe;
    const double silent_s = probe.seen_ago_s.value_or(probe.tried_for_s.value_or(0));
    if (silent_s < limits_.silence_warning_s) return;
    if (IsAuthenticationFailure(probe.error)) {
      Add(Verdict::kWarning, "peer-unauthenticated",
          "a server answers at mfi.peer_conninfo, but for " + FormatDuration(std::llround(silent_s)) +
              " it could not be shown to be the other node: " + probe.error +
              "; it is not believed, so a second primary would not be noticed",
          "Check that both nodes have TLS and the same password for that role, and the other node's pg_hba.conf. If "
          "they do, "
          "somebody else answers at that address.");
      return;
    }
    Add(Verdict::kWarning, "peer-unreachable",
        "the server of mfi.peer_conninfo has not answered for " + FormatDuration(std::llround(silent_s)) + ": " +
            (probe.error.empty() ? "no attempt was made" : probe.error) + ", so a second primary would not be noticed",
        "Start it, or correct mfi.peer_conninfo, its password file and the other node's pg_hba.conf.");
  }

  void SyncStandbys() {
    if (facts_.in_recovery || facts_.sync_standbys_wanted == 0) return;
    const auto there = std::count_if(facts_.senders.begin(), facts_.senders.end(), [](const WalSenderFacts& sender) {
      return sender.sync_state == "sync" || sender.sync_state == "quorum";
    });
    if (there >= facts_.sync_standbys_wanted) return;
    Add(Verdict::kCritical, "sync-standby-missing",
        "commits wait: " + std::to_string(there) + " of " + std::to_string(facts_.sync_standbys_wanted) +
            " synchronous standbys are connected",
        "Start the standby. To go on without it, and without its protection: ALTER SYSTEM SET "
        "synchronous_standby_names = ''; SELECT pg_reload_conf().");
  }

  /// The server counts the node's own receiver where synchronous_standby_names has room for it.
  void SyncReceiver() {
    if (facts_.in_recovery) return;
    std::string standby = "name_of_the_standby";
    const WalSenderFacts* receiver = nullptr;
    for (const WalSenderFacts& sender : facts_.senders) {
      if (!IsOwnReceiver(sender, facts_)) {
        if (sender.replay != 0 && !sender.logical) standby = sender.application_name;
      } else if (sender.sync_state != "async" && !sender.sync_state.empty()) {
        receiver = &sender;
      }
    }
    if (receiver == nullptr) return;
    Add(Verdict::kWarning, "recovery-receiver-synchronous",
        std::string("the receiver of recovery on this node, \"") + kReceiverName +
            "\", counts as a synchronous standby (" + receiver->sync_state +
            "), so a commit may be confirmed that no other node has",
        "Name the standbys instead of '*': ALTER SYSTEM SET synchronous_standby_names = '\"" + standby +
            "\"'; SELECT pg_reload_conf().");
  }

  /// The slot of a standby that is gone, or of a receiver that does not receive, and that may keep more than the disk
  /// holds; empty: there is none.
  std::string KeepsWal(std::int64_t free_bytes) const {
    for (const SlotFacts& slot : facts_.slots) {
      const bool keeps = slot.name == kRecoverySlot && slot.active_pid == 0 && slot.wal_status != "lost";
      // One that only connects anew keeps little.
      if (slot.retained_bytes.value_or(0) < limits_.lag_warning_bytes) continue;
      if (keeps && (!slot.safe_bytes || *slot.safe_bytes > free_bytes)) return slot.name;
    }
    for (const PeerStatus& peer : status_.peers) {
      const bool keeps = peer.missing_since && !peer.slot_name.empty() && peer.slot_wal_status != "lost";
      const bool gone = keeps && static_cast<double>(facts_.now - *peer.missing_since) >= limits_.silence_warning_s;
      if (gone && (!peer.slot_safe_bytes || *peer.slot_safe_bytes > free_bytes)) return peer.slot_name;
    }
    return {};
  }

  static std::string FillingStep(const std::string& keeper) {
    if (keeper.empty()) return "Repair archive_command; the server's log has its words.";
    return std::string(keeper == kRecoverySlot ? "Have it receive again (SELECT error FROM mfi_recovery)"
                                               : "Start the standby") +
           " or drop its slot; set max_slot_wal_keep_size below the free space.";
  }

  void Disk() {
    if (!facts_.wal_disk.free_bytes) return;
    const std::int64_t free_bytes = *facts_.wal_disk.free_bytes;
    if (free_bytes < facts_.wal_disk.max_wal_bytes) {
      Add(free_bytes < kNoRoom ? Verdict::kCritical : Verdict::kWarning, "disk-nearly-full",
          "the disk of pg_wal has " + FormatBytes(free_bytes) + " left, less than max_wal_size (" +
              FormatBytes(facts_.wal_disk.max_wal_bytes) + "): the server stops when it is full",
          "Free space there or enlarge it; never delete files in pg_wal.");
    }
    const std::string keeper = KeepsWal(free_bytes);
    if (keeper.empty() && !facts_.archiver.failing) return;
    const auto left = UsedUpWithinADay(free_bytes, facts_.wal_bytes_per_s_trend);
    if (!left) return;
    Add(left->critical ? Verdict::kCritical : Verdict::kWarning, "disk-filling",
        "pg_wal fills its disk in about " + FormatDuration(std::llround(left->seconds)) + " (" +
            FormatBytes(free_bytes) + " left), as " +
            (keeper.empty() ? "WAL is not archived" : "slot " + keeper + " keeps WAL"),
        FillingStep(keeper));
  }

  void Archiver() {
    const ArchiverFacts& a = facts_.archiver;
    if (!a.failing) return;
    const bool long_since = !a.last_success || facts_.now - *a.last_success >= kHour;
    Add(long_since ? Verdict::kCritical : Verdict::kWarning, "archive-failing",
        "WAL file " + a.failed_file + " cannot be archived (" + std::to_string(a.failed_count) + " failures, " +
            (a.last_success ? "last success " + FormatDuration(facts_.now - *a.last_success) + " ago" : "no success") +
            ")",
        "Repair archive_command or archive_library; the server's log has its words. WAL is kept until then.");
  }

  void Slots() {
    if (!facts_.slots_unbounded) return;
    const auto kept = [&](bool own) {
      return std::any_of(facts_.slots.begin(), facts_.slots.end(),
                         [&](const SlotFacts& slot) { return !slot.temporary && (slot.name == kRecoverySlot) == own; });
    };
    const bool others = kept(false);
    if (!others && !kept(true)) return;
    Add(Verdict::kWarning, "slots-unbounded",
        std::string("max_slot_wal_keep_size = -1 lets ") +
            (others ? "a dead standby's slot" : std::string("slot ") + kRecoverySlot) + " fill the disk",
        "ALTER SYSTEM SET max_slot_wal_keep_size = '10GB' (below the free space of pg_wal); SELECT "
        "pg_reload_conf().");
  }

  /// Only their names tell standbys without slots apart.
  void Namesakes() {
    std::set<std::string> told;
    for (const WalSenderFacts& sender : facts_.senders) {
      const std::string& name = sender.application_name;
      const int alike = SlotOf(sender, facts_) == nullptr ? mfi::core::Namesakes(name, facts_) : 0;
      if (alike < 2 || !told.insert(name).second) continue;
      Add(Verdict::kWarning, "standbys-alike",
          std::to_string(alike) + " standbys without a slot call themselves " + name +
              ", so one of them may be taken for another",
          "Give each its own slot (primary_slot_name) or its own cluster_name, and restart it.");
    }
  }

  void Watched() {
    if (facts_.unwatched_standbys > 0) {
      Add(Verdict::kUnknown, "cannot-know",
          "more standbys are connected than the watcher keeps in mind: of " +
              std::to_string(facts_.unwatched_standbys) + " of them it is not known whether they fall silent or go",
          "Connect fewer standbys to this node: let others receive from a standby.");
    }
    if (facts_.not_looked_for_s) {
      Add(Verdict::kUnknown, "watcher-stalled",
          NotLooked(*facts_.not_looked_for_s) + ", so who is missing or silent now is not known", kWatcherStep);
    }
    if (facts_.watched || facts_.in_recovery || !status_.peers.empty() || facts_.none_expected) return;
    Add(Verdict::kUnknown, "cannot-know", "no launcher watches this node, so a missing standby would not be noticed",
        kLibraryStep);
  }

  const ReplicationFacts& facts_;
  const ReplicationLimits& limits_;
  const ReplicationStatus& status_;
  Reasons reasons_;
};

}  // namespace

std::string NotLooked(double seconds) {
  return "the mfi watcher has not looked at replication for " + FormatDuration(std::llround(seconds));
}

Reasons JudgeOwnNode(const ReplicationFacts& facts, const ReplicationLimits& limits, const ReplicationStatus& status) {
  return NodeJudge(facts, limits, status).Run();
}

}  // namespace mfi::core
