#include "core/keycloak/events.h"

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/base/json_fields.h"
#include "core/base/printable.h"
#include "core/base/utf8.h"
#include "core/keycloak/page_text.h"

namespace mfi::core {
namespace {

using json::Json;

constexpr double kNoTime = 1e15;
constexpr std::size_t kShownCharacters = 200;

std::optional<std::int64_t> TimeOf(const PageItem& event) {
  const Json* time = json::Find(event.value, "time");
  if (time == nullptr || !time->is_number()) return std::nullopt;
  const auto number = time->get<double>();
  if (number < 0 || number >= kNoTime) return std::nullopt;
  return static_cast<std::int64_t>(std::floor(number));
}

std::vector<std::int64_t> TimesOf(const Page& page) {
  std::vector<std::int64_t> times;
  for (const PageItem& event : page) {
    if (const auto time = TimeOf(event)) times.push_back(*time);
  }
  return times;
}

std::string_view FirstCharacters(std::string_view text, std::size_t count) {
  std::size_t end = 0;
  for (; count > 0 && end < text.size(); --count) {
    end += std::max<std::size_t>(FirstCharacter(text.substr(end)).length, 1);
  }
  return text.substr(0, end);
}

/// `$[3].details.x` is details.x.
std::string PlaceInEvent(const std::string& place) {
  const std::size_t bracket = place.find(']');
  if (bracket == std::string::npos) return place;
  const std::size_t begin = bracket + 1;
  return place.substr(begin < place.size() && place[begin] == '.' ? begin + 1 : begin);
}

/// In one line, without the spaces around names and values.
std::string Compact(const std::string& event) {
  return nlohmann::ordered_json::parse(event, nullptr, /*allow_exceptions=*/false)
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string LineOf(const Json& error, const std::vector<std::string>& events) {
  std::string place;
  std::string message;
  std::int64_t index = -1;
  json::Read(error, "path_in_input", place);
  json::Read(error, "message", message);
  json::Read(error, "index", index);
  const bool known = index >= 0 && static_cast<std::size_t>(index) < events.size();
  const std::string event = known ? Compact(events[static_cast<std::size_t>(index)]) : "null";
  return Printable("  malformed: " + PlaceInEvent(place) + " " + message + ": " +
                   std::string(FirstCharacters(event, kShownCharacters)));
}

}  // namespace

bool ComeNewestFirst(const Page& page) {
  const std::vector<std::int64_t> times = TimesOf(page);
  return times.empty() || times.front() >= times.back();
}

std::optional<std::int64_t> OldestTime(const Page& page) {
  const std::vector<std::int64_t> times = TimesOf(page);
  if (times.empty()) return std::nullopt;
  return *std::min_element(times.begin(), times.end());
}

std::string RealmOf(const Page& page) {
  for (const PageItem& event : page) {
    if (const Json* id = json::Find(event.value, "realmId"); id != nullptr && id->is_string()) {
      return id->get<std::string>();
    }
  }
  return {};
}

std::string OldestFirst(const std::vector<std::string>& events, std::size_t first, std::size_t count) {
  std::string array = "[";
  const std::size_t end = std::min(events.size(), first + count);
  for (std::size_t i = first; i < end; ++i) {
    if (i > first) array += ",\n";
    array += events[events.size() - 1 - i];
  }
  return array + "]";
}

ImportReport ReadImportReport(std::string_view answer, std::string_view events) {
  const Json document = json::Parse(answer);
  if (!document.is_object()) throw Error(sqlstate::kDataCorrupted, "the report of the import is not a JSON object");
  ImportReport report;
  json::Read(document, "inserted", report.inserted);
  json::Read(document, "known", report.known);
  json::Read(document, "malformed", report.malformed);
  const Json errors = json::List(document, "errors");
  if (errors.empty()) return report;
  const std::vector<std::string> sent = Elements(events);
  for (const Json& error : errors) {
    if (error.is_object()) report.lines.push_back(LineOf(error, sent));
  }
  return report;
}

}  // namespace mfi::core
