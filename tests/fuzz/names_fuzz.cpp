// The name of any database makes an id that is one file name, and no other database's; and no text that passes for an
// id leads anywhere else.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/base/names.h"

namespace {

bool IsOneFileName(std::string_view name) {
  if (name.empty() || name == "." || name == ".." || name[0] == '.') return false;
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == '/' || c == 0x7f) return false;
  }
  return true;
}

std::string Decode(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] != '%') {
      out += name[i];
      continue;
    }
    if (i + 2 >= name.size()) std::abort();
    out += static_cast<char>(std::stoi(std::string(name.substr(i + 1, 2)), nullptr, 16));
    i += 2;
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mfi::core;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (IsRunId(text) && !IsOneFileName(text)) std::abort();
  const std::string encoded = EncodeFileName(text);
  if (Decode(encoded) != text) std::abort();
  if (text.empty()) return 0;
  if (!IsOneFileName(encoded)) std::abort();
  const std::string id = RunId(text, 1'780'000'000);
  if (id.size() <= 255 && !IsRunId(id)) std::abort();
  return 0;
}
