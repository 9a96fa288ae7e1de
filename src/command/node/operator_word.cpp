#include "command/node/operator_word.h"

#include "command/node/node_word.h"
#include "command/node/secret.h"
#include "core/base/error.h"

namespace mfi::command {
namespace {

WordPlace PlaceOf(const core::NodePlace& place, const core::ControlData& own) {
  return {place.backups, place.volume + "/mfi.word", own.system_identifier, KeyOfFile(place.WordKey())};
}

}  // namespace

/// Once, when it is the same again.
void OperatorWord::Tell(const std::vector<std::string>& remarks) {
  std::string text;
  for (const std::string& remark : remarks) text += (text.empty() ? "" : "\n") + remark;
  if (text != told_) log_.Say("warning: " + text);
  told_ = text;
}

std::optional<core::ChosenNode> OperatorWord::Read(const core::ControlData& own) {
  try {
    const WordInForce found = ReadWord(PlaceOf(place_, own));
    Tell(found.remarks);
    if (!found.word) return std::nullopt;
    return core::ChosenOf(found.word->node, found.word->timeline, place_.node, own.timeline);
  } catch (const core::Error& error) {
    Tell({error.what()});
    return std::nullopt;
  }
}

void OperatorWord::Write(const std::string& node, std::uint32_t timeline, const core::ControlData& own) {
  try {
    Tell(WriteWord(PlaceOf(place_, own), node, timeline).remarks);
  } catch (const core::Error& error) {
    Tell({error.what()});
    log_.Say("warning: this word is not kept: after a restart, run this again");
  }
}

}  // namespace mfi::command
