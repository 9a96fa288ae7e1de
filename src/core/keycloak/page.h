#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mfi::core {

enum class PageKind { kGroups, kEvents };

/// One group or event of a page.
struct PageItem {
  std::string text;      // as Keycloak wrote it, but for what Repaired replaces
  nlohmann::json value;  // to be looked at: what is sent on is the text
};
using Page = std::vector<PageItem>;

/// A page of Keycloak's admin API: one list of objects, nested in at most 64 levels; of groups, at all levels, each
/// with an id that may stand in a path, and a number of children that may be asked for. nullopt for everything else.
std::optional<Page> ReadPage(std::string_view body, PageKind kind);

/// The number that an answer such as {"count": 10} has; nullopt for everything else.
std::optional<std::int64_t> ReadCount(std::string_view body);

/// The access token of an answer; nullopt when there is none, or one that could be more than a header's value: a token
/// is made of few characters (RFC 6750).
std::optional<std::string> ReadToken(std::string_view body);

/// A member of an object; null when it is absent, null or false.
const nlohmann::json* Given(const nlohmann::json& object, const char* name);

}  // namespace mfi::core
