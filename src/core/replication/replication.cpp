#include "core/replication/replication.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "core/base/own_receiver.h"
#include "core/replication/judge_standby.h"
#include "core/replication/judge_upstream.h"
#include "core/replication/replication_node.h"

namespace mfi::core {
namespace {

bool Matches(const std::string& wanted, const std::string& name, const std::string& slot_name) {
  return wanted == name || (!slot_name.empty() && wanted == slot_name);
}

/// Without the receiver of this node's own WAL, which is no standby, and its slot.
ReplicationFacts OfOthers(ReplicationFacts facts) {
  std::erase_if(facts.senders, [&](const WalSenderFacts& sender) { return IsOwnReceiver(sender, facts); });
  std::erase_if(facts.slots, [](const SlotFacts& slot) { return slot.name == kRecoverySlot; });
  std::erase_if(facts.watched_peers, [](const WatchedPeer& peer) { return peer.slot_name == kRecoverySlot; });
  return facts;
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
      names_.push_back(sender.application_name);
      if (!IsWatched(sender.pid)) news_.push_back({sender.application_name, slot == nullptr ? "" : slot->name});
    }
    const bool upstream_gone = facts_.in_recovery && facts_.receiver.wanted && !facts_.receiver.running;
    status_.connected = static_cast<int>(status_.peers.size()) - (upstream_gone ? 1 : 0);
    if (!facts_.in_recovery) AddMissing();
    status_.expected = static_cast<int>(status_.peers.size());
    return std::move(status_);
  }

 private:
  struct Name {
    std::string name;
    std::string slot_name;
  };

  static WatchedPeer Named(const std::string& name, const std::string& slot_name) {
    WatchedPeer peer;
    peer.name = name;
    peer.slot_name = slot_name;
    return peer;
  }

  bool IsWatched(int pid) const {
    return std::any_of(facts_.watched_peers.begin(), facts_.watched_peers.end(),
                       [&](const WatchedPeer& peer) { return peer.connected && peer.walsender_pid == pid; });
  }

  bool HasSender(int pid) const {
    return std::any_of(facts_.senders.begin(), facts_.senders.end(),
                       [&](const WalSenderFacts& sender) { return sender.pid == pid; });
  }

  /// Those who are not there: whom the watcher has seen, who has a slot, who is expected.
  void AddMissing() {
    for (const WatchedPeer& peer : facts_.watched_peers) {
      if (peer.connected && HasSender(peer.walsender_pid)) continue;
      const bool slot_in_use = !peer.slot_name.empty() && IsKnown(peer.slot_name, peer.slot_name);
      if (!slot_in_use && !CameBack(peer)) Missing(peer);
    }
    for (const SlotFacts& slot : facts_.slots) {
      if (!slot.logical && !slot.temporary && slot.active_pid == 0 && !IsKnown(slot.name, slot.name)) {
        Missing(Named(slot.name, slot.name));
      }
    }
    for (const std::string& name : facts_.expected) {
      if (!Answers(name)) Missing(Named(name, ""));
    }
  }

  /// Whether this is who has connected since the watcher looked; each of those is one peer.
  bool CameBack(const WatchedPeer& peer) {
    const auto found = std::find_if(news_.begin(), news_.end(), [&](const Name& n) {
      return n.slot_name == peer.slot_name ? !n.slot_name.empty() || n.name == peer.name
                                           : n.name == peer.name && (n.slot_name.empty() || peer.slot_name.empty());
    });
    if (found == news_.end()) return false;
    news_.erase(found);
    return true;
  }

  bool IsKnown(const std::string& name, const std::string& slot_name) const {
    return std::any_of(status_.peers.begin(), status_.peers.end(), [&](const PeerStatus& known) {
      return Matches(name, known.peer, known.slot_name) || slot_name == known.slot_name;
    });
  }

  /// Whether a row stands for this expected name; a name that is expected twice wants two of them.
  bool Answers(const std::string& name) {
    for (std::size_t i = 0; i < status_.peers.size(); ++i) {
      const PeerStatus& p = status_.peers[i];
      if (!Matches(name, p.peer, p.slot_name) && names_[i] != name) continue;
      if (answering_.emplace(i, name).second) return true;
    }
    return false;
  }

  void Missing(const WatchedPeer& peer) {
    status_.peers.push_back(JudgeMissing(peer, facts_, limits_));
    names_.push_back(peer.name);
  }

  const ReplicationFacts& facts_;
  const ReplicationLimits& limits_;
  ReplicationStatus status_;
  std::vector<std::string> names_;                           // of the rows, as the peers call themselves
  std::vector<Name> news_;                                   // connected, and not seen by the watcher yet
  std::set<std::pair<std::size_t, std::string>> answering_;  // rows that stand for an expected name, and which
};

}  // namespace

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
  const ReplicationFacts others = OfOthers(facts);
  ReplicationStatus status = Judge(others, limits).Run();
  status.node_reasons = JudgeOwnNode(facts, limits, status);
  return status;
}

}  // namespace mfi::core
