#include "core/base/json_fields.h"

namespace mfi::core::json {

bool IsTooDeep(std::string_view text, int limit) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > limit) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

Json Parse(std::string_view text) { return Json::parse(text, nullptr, /*allow_exceptions=*/false); }

Json ParseObject(std::string_view text, const char* what, std::int64_t limit) {
  if (static_cast<std::int64_t>(text.size()) > limit) {
    throw Error(sqlstate::kDataCorrupted, std::string(what) + " is too large");
  }
  if (IsTooDeep(text)) throw Error(sqlstate::kDataCorrupted, std::string(what) + " is nested too deeply");
  Json document = Parse(text);
  if (!document.is_object()) throw Error(sqlstate::kDataCorrupted, std::string(what) + " is not a JSON object");
  return document;
}

std::string Dump(const Json& document) { return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

}  // namespace mfi::core::json
