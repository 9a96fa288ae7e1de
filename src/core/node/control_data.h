#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mfi::core {

/// What a data directory's pg_control says of it.
struct ControlData {
  std::string system_identifier;
  std::uint32_t timeline = 0;  // of the latest checkpoint

  friend bool operator==(const ControlData&, const ControlData&) = default;
};

/// Reads what pg_controldata prints in English. Nothing when it warns, as of a damaged file, or lacks one of them.
std::optional<ControlData> ParseControlData(std::string_view text);

}  // namespace mfi::core
