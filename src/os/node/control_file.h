#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/node/control_data.h"
#include "os/base/waiter.h"

namespace mfi::os {

/// What pg_controldata says of a data directory; nothing when its pg_control is missing or damaged.
std::optional<core::ControlData> FindControlData(const std::string& data, Waiter& waiter);

/// The same; throws Error(55000) when there is nothing.
core::ControlData ReadControlData(const std::string& data, Waiter& waiter);

/// What the primary of this standby requires of its settings, by what was replayed last; nothing when this machine
/// cannot read it.
std::vector<core::RequiredSetting> FindRequiredSettings(const std::string& data, Waiter& waiter);

}  // namespace mfi::os
