#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/node/control_data.h"
#include "core/node/node_place.h"
#include "os/base/waiter.h"
#include "os/node/node_log.h"
#include "os/server/connection.h"

namespace mfi::os {

/// unknown: somebody answers who does not say what it is, or cannot be authenticated.
enum class PeerRole { kNobody, kPrimary, kStandby, kUnknown };

/// The other node, as this one asks it.
class PeerNode {
 public:
  PeerNode(const core::NodePlace& place, Waiter& waiter, NodeLog& log) : place_(place), waiter_(waiter), log_(log) {}

  PeerRole Role();

  /// What Role or Upstream was told last, when that was an error.
  const std::string& words() const { return words_; }

  /// By a replication connection, which the temporary server of the primary's first start does not give. Nothing when
  /// there is none.
  std::optional<core::ControlData> Upstream();

  /// After Upstream returned nothing: what an operator is told of it.
  std::string WhyWaiting() const;

  /// Asks for the upstream until it is there; tells why it waits.
  core::ControlData WaitForUpstream();

  /// As its superuser.
  std::string Superuser() const { return place_.PeerServer() + " user=postgres dbname=postgres"; }
  std::unique_ptr<Connection> Open();

 private:
  const core::NodePlace& place_;
  Waiter& waiter_;
  NodeLog& log_;
  std::string words_;
};

/// Between two looks at a state.
void Pause(Waiter& waiter);

}  // namespace mfi::os
