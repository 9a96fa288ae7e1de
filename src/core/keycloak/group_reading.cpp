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

void GroupReading::AddToFamilies(const json& group, const std::string& parent) {
  const auto& id = group.at("id").get_ref<const std::string&>();
  families_[parent].children.insert(id);
  Family& own = families_[id];
  const json* path = Given(group, "path");
  own.path = path != nullptr && path->is_string() ? path->get<std::string>() : id;
  const json* count = Given(group, "subGroupCount");
  if (count != nullptr) own.counted = static_cast<std::int64_t>(count->get<double>());
  const json* children = Given(group, "subGroups");
  if (children != nullptr && !children->empty()) {
    for (const json& child : *children) AddToFamilies(child, id);
  } else if (count == nullptr) {
    counts_children_ = false;
  } else if (own.counted > 0) {
    parents_.push_back({id, own.counted});
  }
}

void GroupReading::Add(const Page& page, const std::string& parent) {
  for (const PageItem& item : page) {
    const json changes = Changes(item.value, parent);
    groups_.push_back(With(item.text, changes));
    json comparable = item.value;
    comparable.update(changes);
    comparable.erase("access");
    comparable_.insert(comparable.dump());
    AddToFamilies(item.value, parent);
  }
}

void GroupReading::Count(std::int64_t top, std::int64_t all) {
  top_ = top;
  all_ = all;
}

std::vector<GroupReading::Shortage> GroupReading::Shortages() const {
  std::vector<Shortage> shortages;
  const auto add = [&shortages](const std::string& of, std::int64_t counted, std::size_t shown) {
    const auto seen = static_cast<std::int64_t>(shown);
    if (seen < counted) shortages.push_back({of, counted, seen});
  };
  std::size_t shown = 0;
  std::size_t shown_top = 0;
  for (const auto& [id, family] : families_) {
    shown += family.children.size();
    if (id.empty()) shown_top = family.children.size();
  }
  const bool counts_top = top_ != all_ || shown == shown_top;
  if (counts_top) add("top groups", top_, shown_top);
  if (!counts_top || !counts_children_) add("groups", all_, shown);
  for (const auto& [id, family] : families_) add("children of " + family.path, family.counted, family.children.size());
  return shortages;
}

std::vector<GroupReading::Parent> GroupReading::TakeParents() { return std::exchange(parents_, {}); }

std::string GroupReading::Snapshot() const {
  std::string array;
  for (const std::string& group : groups_) array += (array.empty() ? "[" : ",\n") + group;
  return array.empty() ? "[]" : array + "]";
}

}  // namespace mfi::core
