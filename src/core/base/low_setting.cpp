#include "core/base/low_setting.h"

namespace mfi::core {

std::string RaiseThem(const std::vector<LowSetting>& settings) {
  std::string text;
  for (const LowSetting& setting : settings) {
    text += (text.empty() ? "" : ", ") + setting.name + " to at least " + std::to_string(setting.least) + " (it is " +
            std::to_string(setting.here) + ")";
  }
  return text;
}

}  // namespace mfi::core
