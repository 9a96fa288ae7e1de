#include "command/node/promote_node.h"

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "command/node/logged.h"
#include "command/node/old_primary.h"
#include "command/node/this_node.h"
#include "core/base/error.h"
#include "os/base/file.h"
#include "os/node/control_file.h"
#include "os/server/operator_session.h"

namespace mfi::command {
namespace {

using os::Refuse;

std::unique_ptr<os::Connection> OpenServer(os::Waiter& waiter) {
  return os::OpenForOperator("", "mfi promote", std::chrono::seconds{0}, waiter);
}

/// `t` or `f`; nothing where this node's server does not run.
std::optional<std::string> InRecovery(os::Waiter& waiter) {
  try {
    return OpenServer(waiter)->Value("SELECT pg_is_in_recovery()");
  } catch (const core::Stop&) {
    throw;
  } catch (const core::Error&) {
    return std::nullopt;
  }
}

/// The server of this node does not run, or is a primary already.
void RequireNoPrimaryThere(ThisNode& node, const PromoteOptions& options) {
  const std::string& peer = node.place.peer;
  const std::string stop = "docker compose stop " + peer + ", then run this again";
  switch (node.peer.Role()) {
    case os::PeerRole::kPrimary:
      Refuse(peer + " is a primary that answers; nothing was changed", stop + ".");
    case os::PeerRole::kUnknown:
      Refuse("a server answers at " + peer +
                 ", but does not say what it is or cannot be shown to be the other node; nothing was changed",
             node.peer.words() + "\n" + stop + "; find out who answers under its name when that is not enough.");
    case os::PeerRole::kStandby:
      return;
    case os::PeerRole::kNobody:
      break;
  }
  OldPrimary other;
  other.stream = node.place.Upstream();
  other.own_name = node.place.node;
  const core::DeathVerdict verdict = LookWhetherDead(
      other, [] { return std::string(); }, options.within, node.waiter);
  if (!verdict.dead) {
    Refuse(verdict.why + "; nothing was changed", WayOut(verdict, stop + ".", "/promote.sh"));
  }
}

void Promote(ThisNode& node, PromoteOptions options) {
  const core::NodePlace& place = node.place;
  options.slot = place.PeerSlot();
  options.own_name = place.node;
  const std::optional<std::string> in_recovery = InRecovery(node.waiter);
  if (in_recovery == "t") {
    PromoteServer(options, node.waiter, node.log);
    OpenServer(node.waiter)->Execute("CHECKPOINT");  // pg_control has the new timeline
  } else if (!in_recovery && os::Exists(place.data + "/standby.signal")) {
    Refuse("the server of this node cannot be asked; nothing was changed",
           "Wait until it runs: docker compose logs " + place.node);
  } else if (!options.primary_is_down) {
    RequireNoPrimaryThere(node, options);
  }
  const core::ControlData own = os::ReadControlData(place.data, node.waiter);
  if (options.primary_is_down) os::WriteFileAtomically(place.Forced(), "", 0600);
  node.word.Write(place.node, own.timeline, own);
  node.log.Say(place.node +
               " is the primary, also after a restart. To bring the other node back: docker compose start " +
               place.peer + ", then docker compose exec " + place.peer + " /rejoin.sh");
}

}  // namespace

int PromoteNode(const core::NodePlace& place, PromoteOptions options, std::ostream& out) {
  return Logged(out, [&](os::Waiter& waiter, os::NodeLog& log) {
    RequireNode(place, "Run it in db-replica (or db-primary): docker compose exec db-replica /promote.sh");
    ThisNode node(place, waiter, log);
    Promote(node, std::move(options));
    return 0;
  });
}

}  // namespace mfi::command
