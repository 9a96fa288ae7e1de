#include "core/node/start_verdict.h"

#include <algorithm>

namespace mfi::core {
namespace {

using Kind = StartVerdict::Kind;

std::string Timeline(std::uint32_t timeline) { return "timeline " + std::to_string(timeline); }

std::string Exec(const std::string& node, const std::string& script) {
  return "docker compose exec " + node + " /" + script + ".sh";
}

std::string StopThenPromote(const StartFacts& facts) {
  return "docker compose stop " + facts.peer + ", then " + Exec(facts.node, "promote");
}

StartVerdict Wait(const std::string& told) { return {Kind::kWait, told}; }

std::string TwoPrimaries(const StartFacts& facts) {
  return "this node was promoted (" + Timeline(facts.own.timeline) + ") and " + facts.peer + " is a primary too (" +
         Timeline(facts.upstream->timeline) +
         "): it is not started\n    To keep this node as the primary: " + StopThenPromote(facts) + "\n    To keep " +
         facts.peer + ": remove the volume of " + facts.node + ", then docker compose up -d; a new standby is cloned.";
}

}  // namespace

StartVerdict JudgeFirstNode(const StartFacts& facts) {
  if (facts.rejoin_asked) return {Kind::kRejoin};
  if (facts.forced) return {Kind::kStart};
  std::uint32_t newest = 0;
  if (facts.upstream) {
    if (facts.upstream->system_identifier != facts.own.system_identifier) return {Kind::kStart};
    newest = facts.upstream->timeline;
  } else if (facts.chosen && facts.chosen->node == facts.peer) {
    newest = facts.chosen->timeline;
  }
  if (newest <= facts.own.timeline) return {Kind::kStart};
  return Wait(facts.peer + " was promoted (" + Timeline(newest) + ", here it is " + std::to_string(facts.own.timeline) +
              "): this node's server is not started\n    To make it a standby of " + facts.peer +
              ", which gives up what only this node has: " + Exec(facts.node, "rejoin") +
              "\n    To go on with this node instead: " + StopThenPromote(facts));
}

StartVerdict JudgeSecondNode(const StartFacts& facts) {
  const bool chosen = facts.chosen && facts.chosen->node == facts.node && !facts.peer_is_primary;
  if (!facts.rejoin_asked && (facts.forced || chosen)) return {Kind::kStart};
  if (!facts.upstream) {
    return Wait(facts.why_waiting +
                "\n    To start this node, which was promoted, as the primary: " + Exec(facts.node, "promote"));
  }
  if (facts.upstream->system_identifier != facts.own.system_identifier) return {Kind::kOtherSystem};
  if (facts.own.timeline < facts.upstream->timeline) return {Kind::kRejoin};
  return Wait(TwoPrimaries(facts));
}

std::optional<ChosenNode> ChosenOf(const std::string& node, std::uint32_t timeline, const std::string& own_node,
                                   std::uint32_t own_timeline) {
  if (node == own_node && timeline < own_timeline) return std::nullopt;
  return ChosenNode{node, timeline};
}

}  // namespace mfi::core
