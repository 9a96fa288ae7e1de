// Any text is gone through to its end, and what is made of JSON is JSON.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/base/repaired_json.h"
#include "core/secrets/redacted_json.h"
#include "core/secrets/redacted_text.h"
#include "core/secrets/secret_name.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mfi::core;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  KindOfName(text);
  (void)RedactedText(text);
  if (!IsReadableJson(text)) return 0;
  const std::string json = Repaired(text, Zero::kReplace);
  const std::string clean = RedactedJson(json);
  if (!nlohmann::json::accept(clean)) std::abort();
  const std::string whole = RedactedJson("{\"password\": " + clean + "}");
  if (!nlohmann::json::accept(whole)) std::abort();
  return 0;
}
