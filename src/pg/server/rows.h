#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/base/verdict.h"
#include "pg/server/pg.h"

namespace mfi::pg {

struct Timestamp {
  std::int64_t value;  // TimestampTz
};
struct Interval {
  std::int64_t microseconds;
};
/// `infinity`.
inline constexpr Interval kEndless{INT64_MAX};
struct LsnValue {
  std::uint64_t value;
};

/// One column of a result row; monostate is NULL.
using Value = std::variant<std::monostate, bool, std::int64_t, std::string, Timestamp, Interval, LsnValue,
                           std::vector<std::string>>;
using ResultRow = std::vector<Value>;

/// NULL for an empty string.
Value TextOrNull(const std::string& text);
Value Or(const std::optional<std::int64_t>& value);
Value IntervalOrNull(const std::optional<std::int64_t>& microseconds);
Value SecondsOrNull(const std::optional<double>& seconds);
/// From seconds UTC.
Value TimeOrNull(const std::optional<std::int64_t>& at);
Value LsnOrNull(std::uint64_t lsn);

/// An argument of type text[], without its NULLs.
std::vector<std::string> TextArray(FunctionCallInfo fcinfo, int argument);

/// `code: sentence` of each reason, and the next steps without repetition.
std::vector<std::string> ReasonTexts(const core::Reasons& reasons);
std::vector<std::string> NextSteps(const core::Reasons& reasons);

/// Returns `rows` from a set-returning function. The types of the columns are the function's; integers become int4
/// or int8 as declared.
Datum ReturnRows(FunctionCallInfo fcinfo, const std::vector<ResultRow>& rows);

}  // namespace mfi::pg
