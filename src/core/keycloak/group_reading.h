#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/keycloak/page.h"

namespace mfi::core {

/// One reading of all groups of a realm, page after page, level after level.
class GroupReading {
 public:
  /// A group whose children are to be asked for, and how many there are.
  struct Parent {
    std::string id;
    std::int64_t children = 0;
  };

  /// Groups that Keycloak counts and did not show.
  struct Shortage {
    std::string of;  // "top groups", "groups", "children of /a/b"
    std::int64_t counted = 0;
    std::int64_t shown = 0;

    bool operator==(const Shortage&) const = default;
  };

  /// Takes the groups of a page: children of the group `parent`, or, when that is empty, those at the top.
  void Add(const Page& page, const std::string& parent);

  /// How many groups Keycloak counts: at the top, and all. Where both are the same and groups have children, it is one
  /// that knows no count of those at the top, and gave that of all.
  void Count(std::int64_t top, std::int64_t all);

  /// The groups with children that were in no page, once each time they were seen.
  std::vector<Parent> TakeParents();

  /// What is missing, by the counts of all that was added, and by those of Count.
  std::vector<Shortage> Shortages() const;

  /// Whether two readings saw, and missed, the same groups, in whatever order.
  bool IsSameAs(const GroupReading& other) const {
    return comparable_ == other.comparable_ && Shortages() == other.Shortages();
  }

  /// All groups as one JSON array, each as Keycloak wrote it, with its parent, and its roles in order: Keycloak gives
  /// them in any.
  std::string Snapshot() const;

 private:
  struct Family {
    std::string path;                             // as it is told
    std::int64_t counted = 0;                     // children by the group's own count
    std::set<std::string, std::less<>> children;  // their ids
  };

  void AddToFamilies(const nlohmann::json& group, const std::string& parent);

  std::vector<std::string> groups_;
  std::multiset<std::string> comparable_;
  std::vector<Parent> parents_;
  std::map<std::string, Family> families_;  // by the id of the parent, "" at the top
  bool counts_children_ = true;             // every group says how many it has
  std::int64_t top_ = 0;
  std::int64_t all_ = 0;
};

}  // namespace mfi::core
