#include "pg/server/rows.h"

#include <algorithm>
#include <cmath>

#include "pg/server/bridge.h"
#include "pg/server/clock.h"
#include "pg/server/compat.h"

extern "C" {
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/pg_lsn.h"
#include "utils/tuplestore.h"
}

namespace mfi::pg {
namespace {

/// Text in the database's encoding. What was read from files may hold anything: bytes that the encoding does not know
/// become question marks, so that one odd name never hides the other rows.
Datum TextDatum(const std::string& value) {
  const char* data = value.data();
  int left = static_cast<int>(value.size());
  char* copy = static_cast<char*>(palloc(value.size() + 1));
  int length = 0;
  while (left > 0) {
    const int good = pg_encoding_verifymbstr(GetDatabaseEncoding(), data, left);
    memcpy(copy + length, data, static_cast<std::size_t>(good));
    length += good;
    data += good;
    left -= good;
    if (left > 0) {
      copy[length++] = '?';
      ++data;
      --left;
    }
  }
  return PointerGetDatum(cstring_to_text_with_len(copy, length));
}

Datum ArrayDatum(const std::vector<std::string>& values) {
  auto* elements = static_cast<Datum*>(palloc(sizeof(Datum) * (values.size() + 1)));
  for (std::size_t i = 0; i < values.size(); ++i) elements[i] = TextDatum(values[i]);
  return PointerGetDatum(construct_array(elements, static_cast<int>(values.size()), TEXTOID, -1, false, TYPALIGN_INT));
}

Datum IntervalDatum(std::int64_t microseconds) {
  auto* interval = static_cast<::Interval*>(palloc0(sizeof(::Interval)));
  if (microseconds == kEndless.microseconds) {
    *interval = compat::EndlessInterval();
  } else {
    interval->time = microseconds;
  }
  return IntervalPGetDatum(interval);
}

/// In the server: no object with a destructor is made below.
Datum ToDatum(const Value& value, Oid type, bool* is_null) {
  *is_null = false;
  if (const bool* flag = std::get_if<bool>(&value)) return BoolGetDatum(*flag);
  if (const std::int64_t* number = std::get_if<std::int64_t>(&value)) {
    return type == INT4OID ? Int32GetDatum(static_cast<int32>(*number)) : Int64GetDatum(*number);
  }
  if (const std::string* text = std::get_if<std::string>(&value)) return TextDatum(*text);
  if (const Timestamp* at = std::get_if<Timestamp>(&value)) return TimestampTzGetDatum(at->value);
  if (const Interval* length = std::get_if<Interval>(&value)) return IntervalDatum(length->microseconds);
  if (const LsnValue* lsn = std::get_if<LsnValue>(&value)) return LSNGetDatum(lsn->value);
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) return ArrayDatum(*list);
  *is_null = true;
  return Datum{0};
}

}  // namespace

Value TextOrNull(const std::string& text) { return text.empty() ? Value{} : Value{text}; }

Value Or(const std::optional<std::int64_t>& value) { return value ? Value{*value} : Value{}; }

Value IntervalOrNull(const std::optional<std::int64_t>& microseconds) {
  return microseconds ? Value{Interval{*microseconds}} : Value{};
}

Value SecondsOrNull(const std::optional<double>& seconds) {
  return seconds ? Value{Interval{std::llround(*seconds * 1e6)}} : Value{};
}

Value TimeOrNull(const std::optional<std::int64_t>& at) { return at ? Value{Timestamp{ToTimestampTz(*at)}} : Value{}; }

Value LsnOrNull(std::uint64_t lsn) { return lsn == 0 ? Value{} : Value{LsnValue{lsn}}; }

std::vector<std::string> TextArray(FunctionCallInfo fcinfo, int argument) {
  Datum* values = nullptr;
  bool* nulls = nullptr;
  int count = 0;
  CallPg([&] {
    deconstruct_array(PG_GETARG_ARRAYTYPE_P(argument), TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &count);
  });
  std::vector<std::string> texts;
  for (int i = 0; i < count; ++i) {
    if (!nulls[i]) texts.emplace_back(CallPg([&] { return TextDatumGetCString(values[i]); }));
  }
  return texts;
}

std::vector<std::string> ReasonTexts(const core::Reasons& reasons) {
  std::vector<std::string> texts;
  texts.reserve(reasons.size());
  for (const core::Reason& reason : reasons) texts.push_back(reason.Text());
  return texts;
}

std::vector<std::string> NextSteps(const core::Reasons& reasons) {
  std::vector<std::string> steps;
  for (const core::Reason& reason : reasons) {
    const bool known = std::find(steps.begin(), steps.end(), reason.next_step) != steps.end();
    if (!known && !reason.next_step.empty()) steps.push_back(reason.next_step);
  }
  return steps;
}

Datum ReturnRows(FunctionCallInfo fcinfo, const std::vector<ResultRow>& rows) {
  CallPg([&] { InitMaterializedSRF(fcinfo, 0); });
  auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  TupleDesc description = result->setDesc;
  for (const ResultRow& row : rows) {
    if (static_cast<int>(row.size()) != description->natts) {
      throw core::Error("XX000", "the mfi library returns " + std::to_string(row.size()) +
                                     " columns, its SQL declares " + std::to_string(description->natts));
    }
    CallPg([&] {
      auto* values = static_cast<Datum*>(palloc(sizeof(Datum) * row.size()));
      auto* nulls = static_cast<bool*>(palloc(row.size()));
      for (int i = 0; i < description->natts; ++i) {
        values[i] = ToDatum(row[static_cast<std::size_t>(i)], TupleDescAttr(description, i)->atttypid, &nulls[i]);
      }
      tuplestore_putvalues(result->setResult, description, values, nulls);
    });
  }
  return Datum{0};
}

}  // namespace mfi::pg
