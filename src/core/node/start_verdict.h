#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/node/control_data.h"

// Whether a node whose data directory was a primary's may start as the primary. What the other node itself says, being
// authenticated, counts more than a word on it, and no word starts a node beside a newer one.
namespace mfi::core {

/// The node that an operator has named the primary, and the timeline it had then.
struct ChosenNode {
  std::string node;
  std::uint32_t timeline = 0;
};

struct StartFacts {
  std::string node;
  std::string peer;
  ControlData own;
  bool rejoin_asked = false;  // by an operator: this one becomes a standby
  bool forced = false;        // by an operator: until the next start
  std::optional<ChosenNode> chosen;
  bool peer_is_primary = false;         // it says so itself
  std::optional<ControlData> upstream;  // the other node, where it lets this one stream
  std::string why_waiting;              // what is to be told where it does not
};

struct StartVerdict {
  enum class Kind { kStart, kRejoin, kOtherSystem, kWait };
  Kind kind = Kind::kStart;
  std::string told = {};  // of a wait: why, and what an operator can do
};

/// Of the node that is the primary unless the other one was promoted.
StartVerdict JudgeFirstNode(const StartFacts& facts);

/// Of the node that is the primary only by an operator's word, never because nobody answered.
StartVerdict JudgeSecondNode(const StartFacts& facts);

/// A word for this node that is older than its data is none.
std::optional<ChosenNode> ChosenOf(const std::string& node, std::uint32_t timeline, const std::string& own_node,
                                   std::uint32_t own_timeline);

}  // namespace mfi::core
