// Any text is either refused with an Error, or is no command, or one whose program has a whole path; and words that are
// quoted come back as they were.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/backup/notification.h"
#include "core/base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const auto words = mfi::core::SplitCommand(text);
    if (!words.empty() && (words[0].empty() || words[0][0] != '/')) std::abort();
    std::string quoted;
    for (const std::string& word : words) {
      quoted += '"';
      for (const char c : word) quoted += (c == '"' || c == '\\') ? std::string("\\") + c : std::string(1, c);
      quoted += "\" ";
    }
    if (mfi::core::SplitCommand(quoted) != words) std::abort();
  } catch (const mfi::core::Error& error) {
    if (error.sqlstate() != mfi::core::sqlstate::kInvalidParameterValue) std::abort();
  }
  return 0;
}
