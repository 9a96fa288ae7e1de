// Any text is either refused as corrupt or a record that is written and read back the same.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/backup/run_record.h"
#include "core/base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mfi::core;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const std::string written = ToJson(ParseRunRecord(text));
    if (ToJson(ParseRunRecord(written)) != written) std::abort();
  } catch (const Error& error) {
    if (error.sqlstate() != sqlstate::kDataCorrupted) std::abort();
  }
  return 0;
}
