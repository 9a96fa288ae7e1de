#pragma once

#include <string>

#include "core/node/control_data.h"
#include "os/node/peer_node.h"

namespace mfi::os {

/// How a node of the stack becomes and stays a standby of the other one, through a slot of its own. No data directory
/// is deleted that is not our own unfinished clone. All throw Error; a wait ends by the Waiter's Stop.
class NodeData {
 public:
  NodeData(const core::NodePlace& place, PeerNode& peer, Waiter& waiter, NodeLog& log)
      : place_(place), peer_(peer), waiter_(waiter), log_(log) {}

  /// Makes the data directory, which is not there, from the other node's; tries until it is done.
  void Clone();

  /// A data directory that was a primary's becomes a standby of the other node: rewound, or cloned when that cannot be
  /// done.
  void Rejoin();

  /// A valid standby starts even when nobody answers: it waits for its upstream by itself. Only its start finds out
  /// that its slot is lost, so one failed attempt is not the last.
  void CheckStandby();

  /// Renames the data directory, so that another one can come in its place.
  void SetAside(const std::string& reason);

  /// Whether this volume is, or was, being cloned into.
  bool IsUnfinishedClone() const;

  void RequireSameSystem(const core::ControlData& upstream);

 private:
  bool CloneOnce();
  void TakeOverClone();
  void UseOwnUpstream(const std::string& data);

  const core::NodePlace& place_;
  PeerNode& peer_;
  Waiter& waiter_;
  NodeLog& log_;
};

}  // namespace mfi::os
