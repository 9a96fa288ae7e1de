// Any text is either refused as no connection string, without quoting it, or judged; and one that is found to carry no
// secret carries none that libpq knows of.

#include <libpq-fe.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "core/base/error.h"
#include "os/server/conninfo_secret.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    if (!mfi::os::SecretIn(text).empty()) return 0;
  } catch (const mfi::core::Error& error) {
    if (std::string(error.what()) != "it is no connection string") std::abort();
    return 0;
  }
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(PQconninfoParse(text.c_str(), nullptr),
                                                                             PQconninfoFree);
  if (!options) std::abort();
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->dispchar[0] == '*' && option->val != nullptr) std::abort();
  }
  return 0;
}
