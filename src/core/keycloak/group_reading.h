#pragma once

#include <cstdint>
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

  /// Takes the groups of a page: children of the group `parent`, or, when that is empty, those at the top.
  void Add(const Page& page, const std::string& parent);

  /// The groups with children that were in no page, once each time they were seen.
  std::vector<Parent> TakeParents();

  /// Whether two readings saw the same groups, in whatever order.
  bool IsSameAs(const GroupReading& other) const { return comparable_ == other.comparable_; }

  /// All groups as one JSON array, each as Keycloak wrote it, with its parent, and its roles in order: Keycloak gives
  /// them in any.
  std::string Snapshot() const;

 private:
  std::vector<std::string> groups_;
  std::multiset<std::string> comparable_;
  std::vector<Parent> parents_;
};

}  // namespace mfi::core
