#include "core/keycloak/group_reading.h"

#include <algorithm>
#include <utility>

namespace mfi::core {
namespace {

using nlohmann::json;

bool Sort(json& list) {
  if (!list.is_array() || std::is_sorted(list.begin(), list.end())) return false;
  std::sort(list.begin(), list.end());
  return true;
}

/// The members of a group that are not to be as Keycloak has given them.
json Changes(const json& group, const std::string& parent) {
  json changes = json::object();
  if (!parent.empty() && Given(group, "parentId") == nullptr) changes["parentId"] = parent;
  if (const json* given = Given(group, "realmRoles")) {
    json roles = *given;
    if (Sort(roles)) changes["realmRoles"] = std::move(roles);
  }
  if (const json* given = Given(group, "clientRoles"); given != nullptr && given->is_object()) {
    json roles = *given;
    bool changed = false;
    for (json& of_client : roles) changed = Sort(of_client) || changed;
    if (changed) changes["clientRoles"] = std::move(roles);
  }
  return changes;
}

/// The text of a group, which has members, with others behind them: of two with one name, the last one counts.
std::string With(const std::string& group, const json& changes) {
  if (changes.empty()) return group;
  return group.substr(0, group.size() - 1) + "," + changes.dump().substr(1);
}

}  // namespace

void GroupReading::Add(const Page& page, const std::string& parent) {
  for (const PageItem& item : page) {
    const json changes = Changes(item.value, parent);
    groups_.push_back(With(item.text, changes));
    json comparable = item.value;
    comparable.update(changes);
    comparable.erase("access");
    comparable_.insert(comparable.dump());
    const json* count = Given(item.value, "subGroupCount");
    const json* children = Given(item.value, "subGroups");
    if (count != nullptr && count->get<double>() > 0 && (children == nullptr || children->empty())) {
      parents_.push_back({item.value.at("id").get<std::string>(), static_cast<std::int64_t>(count->get<double>())});
    }
  }
}

std::vector<GroupReading::Parent> GroupReading::TakeParents() { return std::exchange(parents_, {}); }

std::string GroupReading::Snapshot() const {
  std::string array;
  for (const std::string& group : groups_) array += (array.empty() ? "[" : ",\n") + group;
  return array.empty() ? "[]" : array + "]";
}

}  // namespace mfi::core
