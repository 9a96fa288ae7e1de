#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/base/timestamp.h"

// Reading and writing of members, shared by run_record.cpp and manifest.cpp.
namespace mfi::core::json {

using Json = nlohmann::json;

inline constexpr int kMaxDepth = 16;  // our own documents have four levels

/// Whether objects and arrays are nested deeper than `limit`. Reads no further than to the first that is.
bool IsTooDeep(std::string_view text, int limit = kMaxDepth);

/// Any value; discarded (`is_discarded()`) when the text is none.
Json Parse(std::string_view text);

/// Parses text of at most `limit` bytes that must be one JSON object. `what` names the document in the error.
Json ParseObject(std::string_view text, const char* what, std::int64_t limit);

[[noreturn]] inline void WrongType(const char* name, const char* wanted) {
  throw Error(sqlstate::kDataCorrupted, std::string("member \"") + name + "\" is not " + wanted);
}

/// The member, or null when it is absent or null.
inline const Json* Find(const Json& object, const char* name) {
  const auto it = object.find(name);
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

inline void Read(const Json& object, const char* name, std::string& out) {
  if (const Json* member = Find(object, name)) {
    if (!member->is_string()) WrongType(name, "a string");
    out = member->get<std::string>();
  }
}

inline void Read(const Json& object, const char* name, std::int64_t& out) {
  if (const Json* member = Find(object, name)) {
    const bool too_large = member->is_number_unsigned() && member->get<std::uint64_t>() > INT64_MAX;
    if (!member->is_number_integer() || too_large) WrongType(name, "an integer");
    out = member->get<std::int64_t>();
  }
}

inline void Read(const Json& object, const char* name, int& out) {
  std::int64_t value = out;
  Read(object, name, value);
  if (value < INT32_MIN || value > INT32_MAX) WrongType(name, "a 32-bit integer");
  out = static_cast<int>(value);
}

inline void Read(const Json& object, const char* name, bool& out) {
  if (const Json* member = Find(object, name)) {
    if (!member->is_boolean()) WrongType(name, "a boolean");
    out = member->get<bool>();
  }
}

inline void Read(const Json& object, const char* name, std::optional<std::int64_t>& out) {
  if (Find(object, name) == nullptr) return;
  std::int64_t value = 0;
  Read(object, name, value);
  out = value;
}

inline void ReadTime(const Json& object, const char* name, std::optional<UtcSeconds>& out) {
  std::string text;
  Read(object, name, text);
  if (text.empty()) return;
  out = ParseTimestamp(text);
  if (!out) WrongType(name, "a timestamp");
}

/// A member that must be there as an object; an empty object when it is absent.
inline Json Section(const Json& object, const char* name) {
  const Json* member = Find(object, name);
  if (member == nullptr) return Json::object();
  if (!member->is_object()) WrongType(name, "an object");
  return *member;
}

/// A member that must be there as an array; an empty array when it is absent.
inline Json List(const Json& object, const char* name) {
  const Json* member = Find(object, name);
  if (member == nullptr) return Json::array();
  if (!member->is_array()) WrongType(name, "an array");
  return *member;
}

template <typename T>
Json OrNull(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

inline Json TimeOrNull(const std::optional<UtcSeconds>& at) { return at ? Json(FormatIso(*at)) : Json(nullptr); }

inline Json OrNull(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

/// Replaces every string value, at any depth.
template <typename Change>
void EachString(Json& value, const Change& change) {
  if (value.is_string()) {
    value = change(value.get_ref<const std::string&>());
  } else if (value.is_structured()) {
    for (Json& child : value) EachString(child, change);
  }
}

/// Text for people and programs; bytes that are no UTF-8 are replaced, never refused.
std::string Dump(const Json& document);

}  // namespace mfi::core::json
