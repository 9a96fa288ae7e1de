// Any text is a memory of standbys or none; what is read of it is written and read back the same.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/base/error.h"
#include "core/replication/peer_memory.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto peers = mfi::core::ParsePeerMemory(text, "db-primary-5432");
  const std::string written = mfi::core::ToJson("db-primary-5432", peers);
  if (mfi::core::ToJson("db-primary-5432", mfi::core::ParsePeerMemory(written, "db-primary-5432")) != written)
    std::abort();
  return 0;
}
