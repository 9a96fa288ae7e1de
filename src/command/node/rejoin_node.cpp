#include "command/node/rejoin_node.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>

#include "command/node/logged.h"
#include "command/node/this_node.h"
#include "os/base/file.h"
#include "os/node/control_file.h"
#include "os/node/server_program.h"

namespace mfi::command {
namespace {

using os::Refuse;

constexpr pid_t kEntrypoint = 1;

/// Its data and timeline, after all that may speak against this.
core::ControlData CheckUpstream(ThisNode& node, const core::ControlData& own) {
  const std::string& peer = node.place.peer;
  if (node.peer.Role() != os::PeerRole::kPrimary) {
    Refuse(peer + " is no primary that answers; nothing was changed",
           node.peer.words() + (node.peer.words().empty() ? "" : "\n") + "First: docker compose exec " + peer +
               " /promote.sh");
  }
  const auto upstream = node.peer.Upstream();
  if (!upstream) {
    node.log.Words(node.peer.words());
    Refuse(peer + " gives this node no replication connection; nothing was changed", "The line above says why.");
  }
  node.data.RequireSameSystem(*upstream);
  if (upstream->timeline <= own.timeline) {
    Refuse(
        peer + " was not promoted after this node (timeline " + std::to_string(upstream->timeline) + " there, " +
            std::to_string(own.timeline) + " here); nothing was changed",
        "If this node was promoted last, it is " + peer + " that rejoins: docker compose exec " + peer + " /rejoin.sh");
  }
  return *upstream;
}

void Rejoin(ThisNode& node) {
  const core::NodePlace& place = node.place;
  if (os::Exists(place.data + "/standby.signal")) {
    Refuse("this node is a standby already; nothing was changed",
           "How it does: docker compose exec " + place.node + " /health.sh replication");
  }
  const core::ControlData own = os::ReadControlData(place.data, node.waiter);
  const core::ControlData upstream = CheckUpstream(node, own);
  node.word.Write(place.peer, upstream.timeline, own);
  if (unlink(place.Forced().c_str()) != 0 && errno != ENOENT) os::ThrowErrno(errno, "remove", place.Forced());
  os::WriteFileAtomically(place.Rejoin(), "", 0600);
  node.log.Say(place.node + " becomes a standby of " + place.peer + ": docker compose logs -f " + place.node +
               " shows how");
  // Process 1 is the entrypoint, which waits for this, or the server: it ends, and the container starts again.
  if (os::RunServerProgram("pg_ctl", {"status", "-D", place.data}, node.waiter).exit_code == 0) {
    if (kill(kEntrypoint, SIGINT) != 0) os::ThrowErrno(errno, "stop", "process 1");
  }
}

}  // namespace

int RejoinNode(const core::NodePlace& place, std::ostream& out) {
  return Logged(out, [&](os::Waiter& waiter, os::NodeLog& log) {
    RequireNode(place, "Run it in the old primary: docker compose exec db-primary /rejoin.sh");
    ThisNode node(place, waiter, log);
    Rejoin(node);
    return 0;
  });
}

}  // namespace mfi::command
