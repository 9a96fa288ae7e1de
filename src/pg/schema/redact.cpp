#include "core/secrets/redacted_json.h"

#include "core/base/repaired_json.h"
#include "core/secrets/redacted_text.h"
#include "pg/server/bridge.h"

extern "C" {
#include "utils/builtins.h"
#include "utils/jsonb.h"

PG_FUNCTION_INFO_V1(mfi_redact);
PG_FUNCTION_INFO_V1(mfi_redact_text);
PG_FUNCTION_INFO_V1(mfi_readable_json);
}

namespace mfi::pg {
namespace {

std::string TextArgument(FunctionCallInfo fcinfo) {
  std::string_view bytes = CallPg([&] {
    const text* given = PG_GETARG_TEXT_PP(0);
    return std::string_view(VARDATA_ANY(given), VARSIZE_ANY_EXHDR(given));
  });
  return std::string(bytes);
}

Datum AsJsonb(const std::string& json) {
  const char* text = json.c_str();
  return CallPg([&] { return DirectFunctionCall1(jsonb_in, CStringGetDatum(text)); });
}

Datum AsText(const std::string& text) {
  return CallPg([&] { return PointerGetDatum(cstring_to_text_with_len(text.data(), static_cast<int>(text.size()))); });
}

Datum Redact(FunctionCallInfo fcinfo) {
  const char* given = CallPg([&]() -> const char* {
    Jsonb* document = PG_GETARG_JSONB_P(0);
    return JsonbToCString(nullptr, &document->root, VARSIZE(document));
  });
  const std::string json = given;
  const std::string clean = core::RedactedJson(json);
  return clean == json ? PG_GETARG_DATUM(0) : AsJsonb(clean);
}

Datum RedactText(FunctionCallInfo fcinfo) {
  const std::string text = TextArgument(fcinfo);
  const std::string clean = core::RedactedText(text);
  if (clean == text) return PG_GETARG_DATUM(0);
  return AsText(clean);
}

Datum ReadableJson(FunctionCallInfo fcinfo) {
  const std::string text = TextArgument(fcinfo);
  if (core::IsReadableJson(text)) return AsText(core::Repaired(text, core::Zero::kReplace));
  fcinfo->isnull = true;
  return Datum{};
}

}  // namespace
}  // namespace mfi::pg

extern "C" Datum mfi_redact(PG_FUNCTION_ARGS) {
  return mfi::pg::Guard([&] { return mfi::pg::Redact(fcinfo); });
}

extern "C" Datum mfi_redact_text(PG_FUNCTION_ARGS) {
  return mfi::pg::Guard([&] { return mfi::pg::RedactText(fcinfo); });
}

extern "C" Datum mfi_readable_json(PG_FUNCTION_ARGS) {
  return mfi::pg::Guard([&] { return mfi::pg::ReadableJson(fcinfo); });
}
