#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mfi::core {

/// What a data directory's pg_control says of it.
struct ControlData {
  std::string system_identifier;
  std::uint32_t timeline = 0;  // of the latest checkpoint

  friend bool operator==(const ControlData&, const ControlData&) = default;
};

/// Reads what pg_controldata prints in English. Nothing when it warns, as of a damaged file, or lacks one of them.
std::optional<ControlData> ParseControlData(std::string_view text);

/// A setting that a standby may not have lower than its primary, and the value that the primary has.
struct RequiredSetting {
  std::string name;
  std::int64_t least = 0;

  friend bool operator==(const RequiredSetting&, const RequiredSetting&) = default;
};

/// The five of them, as pg_controldata of the standby prints them in English; nothing when one is missing.
std::vector<RequiredSetting> ParseRequiredSettings(std::string_view text);

}  // namespace mfi::core
