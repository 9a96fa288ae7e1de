// What a name server answers, whoever it is: nothing is read beyond its end.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/node/name_question.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mfi::core;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto question = NameQuestion(0x1234, "db-primary", AddressKind::kIpv4);
  if (const auto addresses = AddressesInAnswer("\x12\x34" + text, *question)) {
    for (const std::string& address : *addresses) {
      if (address.size() != 4 && address.size() != 16) std::abort();
    }
  }
  if (FirstNameServer(text).find_first_of(" \t\n") != std::string::npos) std::abort();
  NameQuestion(1, text, AddressKind::kIpv6);
  return 0;
}
