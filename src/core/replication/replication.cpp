#include "core/replication/replication.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>

#include "core/replication/judge_standby.h"
#include "core/replication/judge_upstream.h"
#include "core/replication/replication_node.h"

namespace mfi::core {
namespace {

bool Matches(const std::string& wanted, const std::string& name, const std::string& slot_name) {
  return wanted == name || (!slot_name.empty() && wanted == slot_name);
}

/// Puts the rows together: each peer once, whatever it is known by.
class Judge {
 public:
  Judge(const ReplicationFacts& facts, const ReplicationLimits& limits) : facts_(facts), limits_(limits) {}

  ReplicationStatus Run() {
    if (facts_.in_recovery) status_.peers.push_back(JudgeUpstream(facts_, limits_));
    for (const WalSenderFacts& sender : facts_.senders) {
      const SlotFacts* slot = SlotOf(sender, facts_);
      if (!IsStandby(sender.logical, sender.replay, slot != nullptr && !slot->temporary)) continue;
      status_.peers.push_back(JudgeStandby(sender, facts_, limits_));
    }
    const bool upstream_gone = facts_.in_recovery && !facts_.receiver.running;
    status_.connected = static_cast<int>(status_.peers.size()) - (upstream_gone ? 1 : 0);
    if (!facts_.in_recovery) {
      for (const WatchedPeer& peer : facts_.watched_peers) {
        if (!peer.connected || !HasSender(peer.walsender_pid)) {
          Missing(peer.name, peer.slot_name, peer.missing_since);
        }
      }
      for (const SlotFacts& slot : facts_.slots) {
        if (!slot.logical && !slot.temporary && slot.active_pid == 0) Missing(slot.name, slot.name, std::nullopt);
      }
      for (const std::string& name : facts_.expected) Missing(name, "", std::nullopt);
    }
    status_.expected = static_cast<int>(status_.peers.size());
    status_.node_reasons = JudgeOwnNode(facts_, limits_, status_);
    return std::move(status_);
  }

 private:
  bool HasSender(int pid) const {
    return std::any_of(facts_.senders.begin(), facts_.senders.end(),
                       [&](const WalSenderFacts& sender) { return sender.pid == pid; });
  }

  /// Unless it is in the rows already, under its name or its slot's.
  void Missing(const std::string& name, const std::string& slot_name, const std::optional<UtcSeconds>& since) {
    for (const PeerStatus& known : status_.peers) {
      if (Matches(name, known.peer, known.slot_name)) return;
      if (!slot_name.empty() && slot_name == known.slot_name) return;
    }
    status_.peers.push_back(JudgeMissing(name, slot_name, since, facts_, limits_));
  }

  const ReplicationFacts& facts_;
  const ReplicationLimits& limits_;
  ReplicationStatus status_;
};

}  // namespace

std::string FormatLsn(Lsn lsn) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%X/%X", static_cast<unsigned>(lsn >> 32U),
                static_cast<unsigned>(lsn & 0xffffffffU));
  return buffer.data();
}

Lsn ReplayedOf(Lsn end, Lsn replay, Lsn file_bytes) {
  const bool switched = replay > end && replay % file_bytes == 0 && replay - end < file_bytes;
  return switched ? end : replay;
}

std::string PeerName(const std::string& application_name, const std::string& slot_name) {
  const bool nameless = application_name.empty() || application_name == "walreceiver";
  return nameless && !slot_name.empty() ? slot_name : application_name;
}

bool IsStandby(bool logical, Lsn replayed, bool has_lasting_slot) {
  return !logical && (replayed != 0 || has_lasting_slot);
}

Reasons ReplicationStatus::AllReasons() const {
  Reasons all = node_reasons;
  for (const PeerStatus& peer : peers) all.insert(all.end(), peer.reasons.begin(), peer.reasons.end());
  SortByGravity(all);
  return all;
}

ReplicationStatus JudgeReplication(const ReplicationFacts& facts, const ReplicationLimits& limits) {
  return Judge(facts, limits).Run();
}

}  // namespace mfi::core
