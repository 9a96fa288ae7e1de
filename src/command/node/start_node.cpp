#include "command/node/start_node.h"

#include <optional>

#include "command/node/logged.h"
#include "command/node/this_node.h"
#include "core/node/start_verdict.h"
#include "os/base/file.h"
#include "os/node/control_file.h"

namespace mfi::command {
namespace {

using core::StartVerdict;
using os::PeerRole;

[[noreturn]] void RefuseToBegin(const ThisNode& node) {
  const std::string& peer = node.place.peer;
  const std::string& words = node.peer.words();
  os::Refuse("this volume is empty, and " + peer + " has data but is not known to be the primary: nothing is made here",
             words + (words.empty() ? "" : "\n") + "To go on with the data of " + peer + ": docker compose exec " +
                 peer +
                 " /promote.sh; then this node is cloned from it.\n"
                 "To begin anew: docker compose down -v, then docker compose up -d");
}

int Clone(ThisNode& node, bool or_new) {
  const PeerRole role = or_new ? node.peer.Role() : PeerRole::kPrimary;
  if (role == PeerRole::kNobody && !node.data.IsUnfinishedClone()) return kMakeAnew;
  if (role != PeerRole::kPrimary && role != PeerRole::kNobody) RefuseToBegin(node);
  node.data.Clone();
  return 0;
}

StartVerdict Judge(ThisNode& node, const core::ControlData& own, bool first,
                   std::optional<core::ControlData>& upstream) {
  const core::NodePlace& place = node.place;
  core::StartFacts facts;
  facts.node = place.node;
  facts.peer = place.peer;
  facts.own = own;
  facts.rejoin_asked = os::Exists(place.Rejoin());
  facts.forced = os::Exists(place.Forced());
  facts.chosen = node.word.Read(own);
  // Asked only where it counts: each question may take seconds.
  if (!first && facts.chosen && facts.chosen->node == place.node) {
    facts.peer_is_primary = node.peer.Role() == PeerRole::kPrimary;
  }
  facts.upstream = node.peer.Upstream();
  if (!facts.upstream) facts.why_waiting = node.peer.WhyWaiting();
  upstream = facts.upstream;
  return first ? core::JudgeFirstNode(facts) : core::JudgeSecondNode(facts);
}

/// Returns when the server may start: as the primary, or as the standby that it was made.
void WaitForRole(ThisNode& node, const core::ControlData& own, bool first) {
  for (std::string told;;) {
    std::optional<core::ControlData> upstream;
    const StartVerdict verdict = Judge(node, own, first, upstream);
    switch (verdict.kind) {
      case StartVerdict::Kind::kStart:
        return;
      case StartVerdict::Kind::kRejoin:
        return node.data.Rejoin();
      case StartVerdict::Kind::kOtherSystem:
        return node.data.RequireSameSystem(*upstream);
      case StartVerdict::Kind::kWait:
        break;
    }
    if (verdict.told != told) node.log.Say(verdict.told);
    told = verdict.told;
    os::Pause(node.waiter);
  }
}

void Start(ThisNode& node, bool first) {
  const core::NodePlace& place = node.place;
  const std::optional<core::ControlData> own = os::FindControlData(place.data, node.waiter);
  if (!own && !first) {
    node.data.SetAside("this data directory has no valid pg_control");
    return node.data.Clone();
  }
  if (os::Exists(place.data + "/standby.signal")) return node.data.CheckStandby();
  WaitForRole(node, own ? *own : os::ReadControlData(place.data, node.waiter), first);
}

}  // namespace

int CloneNode(const core::NodePlace& place, bool or_new, std::ostream& out) {
  return Logged(out, [&](os::Waiter& waiter, os::NodeLog& log) {
    ThisNode node(place, waiter, log);
    return Clone(node, or_new);
  });
}

int StartNode(const core::NodePlace& place, bool first, std::ostream& out) {
  return Logged(out, [&](os::Waiter& waiter, os::NodeLog& log) {
    ThisNode node(place, waiter, log);
    Start(node, first);
    return 0;
  });
}

}  // namespace mfi::command
