#pragma once

#include <string>

#include "os/server/connection.h"

// A standby's slot on its primary, by a session of a superuser there.
namespace mfi::os {

/// lost: WAL that its standby needs is gone. (Its restart_lsn does not tell: a lost slot gets one again when its
/// standby finds the WAL it asks for by chance.)
enum class SlotState { kMissing, kKept, kLost };

SlotState StateOfSlot(Connection& primary, const std::string& slot);

/// Keeps WAL from now on for a standby that is about to be made. A slot that is lost serves nobody: it is made anew.
void MakeSlot(Connection& primary, const std::string& slot);

}  // namespace mfi::os
