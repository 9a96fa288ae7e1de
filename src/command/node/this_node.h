#pragma once

#include <string>

#include "command/node/operator_word.h"
#include "core/node/node_place.h"
#include "os/base/waiter.h"
#include "os/node/node_data.h"
#include "os/node/node_log.h"
#include "os/node/peer_node.h"

namespace mfi::command {

/// The node of this container. `root`: of its files, ends with a slash.
core::NodePlace PlaceOfThisNode(const std::string& root = "/");

/// What an operator's commands and the entrypoints do with this node.
struct ThisNode {
  ThisNode(const core::NodePlace& where, os::Waiter& wait, os::NodeLog& node_log)
      : place(where), waiter(wait), log(node_log) {}
  ThisNode(const ThisNode&) = delete;
  ThisNode& operator=(const ThisNode&) = delete;

  const core::NodePlace& place;
  os::Waiter& waiter;
  os::NodeLog& log;
  os::PeerNode peer{place, waiter, log};
  os::NodeData data{place, peer, waiter, log};
  OperatorWord word{place, log};
};

/// Refuses in a container that is no node. `hint`: where it belongs.
void RequireNode(const core::NodePlace& place, const std::string& hint);

}  // namespace mfi::command
