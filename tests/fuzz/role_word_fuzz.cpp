// A word on which node is the primary is read exactly as it is written, or not at all.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/node/role_word.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mfi::core;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto read = ParseSignedLine(text);
  if (read && SignedLine(read->word, read->signature) != text) std::abort();
  if (read && IsUnsignedWord(text)) std::abort();
  return 0;
}
