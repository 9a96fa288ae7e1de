#include "os/node/control_file.h"

#include "os/node/node_log.h"
#include "os/node/server_program.h"

namespace mfi::os {

std::optional<core::ControlData> FindControlData(const std::string& data, Waiter& waiter) {
  const ChildResult result = RunServerProgram("pg_controldata", {"-D", data}, waiter);
  if (result.exit_code != 0) return std::nullopt;
  return core::ParseControlData(result.output + "\n" + result.errors);
}

core::ControlData ReadControlData(const std::string& data, Waiter& waiter) {
  if (auto found = FindControlData(data, waiter)) return *found;
  Refuse(data + " has no valid pg_control",
         "Restore a backup, or remove this volume when the other node has the data.");
}

std::vector<core::RequiredSetting> FindRequiredSettings(const std::string& data, Waiter& waiter) {
  try {
    const ChildResult result = RunServerProgram("pg_controldata", {"-D", data}, waiter);
    return result.exit_code == 0 ? core::ParseRequiredSettings(result.output) : std::vector<core::RequiredSetting>();
  } catch (const core::Stop&) {
    throw;
  } catch (const core::Error&) {
    return {};
  }
}

}  // namespace mfi::os
