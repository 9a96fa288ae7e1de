#include "core/keycloak/group_report.h"

#include <algorithm>
#include <cstddef>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/printable.h"

namespace mfi::core {
namespace {

using Json = nlohmann::ordered_json;  // the counts stay in the server's order

constexpr std::size_t kShown = 50;

/// A member as text; "" when it is absent or null.
std::string Text(const Json& object, const char* name) {
  const auto member = object.is_object() ? object.find(name) : object.end();
  if (!object.is_object() || member == object.end() || member->is_null()) return {};
  return Printable(member->is_string() ? member->get<std::string>()
                                       : member->dump(-1, ' ', false, Json::error_handler_t::replace));
}

Json Member(const Json& object, const char* name) { return object.is_object() ? object.value(name, Json()) : Json(); }

std::string Words(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

bool IsTrue(const Json& value) { return value.is_boolean() && value.get<bool>(); }

std::int64_t Number(const Json& value) { return value.is_number() ? value.get<std::int64_t>() : 0; }

std::string Counts(const Json& counts) {
  std::string line;
  for (const auto& [name, count] : counts.items()) {
    if (Number(count) <= 0) continue;
    line += (line.empty() ? "" : ", ") + std::to_string(Number(count)) + " " + Words(Printable(name));
  }
  return line;
}

std::string Item(const Json& item) {
  const std::string before = Text(Member(item, "old"), "path");
  const std::string after = Text(Member(item, "new"), "path");
  std::string what = after.empty() ? before : after;
  if (!before.empty() && !after.empty()) what = before + " -> " + after;
  return "  " + Words(Text(item, "class")) + " " + (what.empty() ? Text(item, "id") : what) + "\n";
}

template <typename Line>
std::string EachOf(const Json& list, std::size_t at_most, const Line& line) {
  std::string lines;
  for (std::size_t i = 0; list.is_array() && i < std::min(list.size(), at_most); ++i) lines += line(list[i]);
  return lines;
}

}  // namespace

GroupReport ReadGroupReport(std::string_view answer, const std::string& realm) {
  const Json report = Json::parse(answer, nullptr, /*allow_exceptions=*/false);
  if (!report.is_object()) throw Error(sqlstate::kDataCorrupted, "the report of the sync is not a JSON object");
  const Json items = Member(report, "items");
  const Json errors = Member(report, "errors");
  const std::string outcome = Text(report, "outcome");
  std::string text = "Groups of realm " + Printable(realm) + ", " + Text(report, "kind") + " " +
                     Text(report, "scope_id") + ": " + outcome;
  if (IsTrue(Member(Member(report, "options"), "dry_run"))) text += " (dry run)";
  text += "\n  " + Counts(Member(report, "counts")) + "\n" + EachOf(items, kShown, Item);
  if (items.size() > kShown) text += "  and " + std::to_string(items.size() - kShown) + " more, in mfi.sync_runs\n";
  text += EachOf(Member(report, "replaced"), std::string::npos, [](const Json& group) {
    return "  " + Text(group, "name") + " was deleted and made anew: members are not carried over\n";
  });
  if (const std::int64_t users = Number(Member(report, "affected_users")); users > 0) {
    text += "  " + std::to_string(users) + " users are in groups that were deleted\n";
  }
  text += EachOf(Member(report, "warnings"), kShown,
                 [](const Json& warning) { return "  warning: " + Text(warning, "message") + "\n"; });
  text += EachOf(errors, kShown, [](const Json& error) {
    return "  error: " + Text(error, "path_in_input") + ": " + Text(error, "message") + "\n";
  });
  return {outcome == "refused", text};
}

}  // namespace mfi::core
