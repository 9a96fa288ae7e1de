#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/node/control_data.h"
#include "core/node/node_place.h"
#include "core/node/start_verdict.h"
#include "os/node/node_log.h"

namespace mfi::command {

/// An operator's word on which node is the primary, given by `mfi promote` and `mfi rejoin` in a container. It is in
/// the backup directory, which both nodes share: each knows it although the other one does not answer. Others may write
/// there, so it is signed, and each node remembers the last one it believed.
class OperatorWord {
 public:
  OperatorWord(const core::NodePlace& place, os::NodeLog& log) : place_(place), log_(log) {}

  /// Nothing without a word on this cluster.
  std::optional<core::ChosenNode> Read(const core::ControlData& own);

  void Write(const std::string& node, std::uint32_t timeline, const core::ControlData& own);

 private:
  void Tell(const std::vector<std::string>& remarks);

  const core::NodePlace& place_;
  os::NodeLog& log_;
  std::string told_;
};

}  // namespace mfi::command
