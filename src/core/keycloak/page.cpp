#include "core/keycloak/page.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/json_fields.h"
#include "core/base/repaired_json.h"
#include "core/keycloak/page_text.h"

namespace mfi::core {
namespace {

using json::Json;

constexpr int kDeepest = 64;
constexpr double kMostChildren = 1e6;
constexpr std::size_t kLongestId = 255;
constexpr std::size_t kLongestToken = 65536;
constexpr std::string_view kLettersAndDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

bool IsMadeOf(std::string_view text, std::string_view signs) {
  return std::all_of(text.begin(), text.end(), [signs](char c) {
    return kLettersAndDigits.find(c) != std::string_view::npos || signs.find(c) != std::string_view::npos;
  });
}

bool IsId(const Json* id) {
  if (id == nullptr || !id->is_string()) return false;
  const auto& text = id->get_ref<const std::string&>();
  return !text.empty() && text.size() <= kLongestId && text != "." && text != ".." && IsMadeOf(text, "._-");
}

bool IsCount(const Json* count) {
  if (count == nullptr) return true;
  if (!count->is_number()) return false;
  const auto number = count->get<double>();
  return number >= 0 && number <= kMostChildren && number == std::floor(number);
}

// Nested no deeper than the page.
bool IsGroup(const Json& group) {
  if (!group.is_object() || !IsId(Given(group, "id")) || !IsCount(Given(group, "subGroupCount"))) return false;
  const Json* children = Given(group, "subGroups");
  return children == nullptr || (children->is_array() && std::all_of(children->begin(), children->end(), IsGroup));
}

}  // namespace

const Json* Given(const Json& object, const char* name) {
  const Json* member = json::Find(object, name);
  return member != nullptr && member->is_boolean() && !member->get<bool>() ? nullptr : member;
}

std::optional<Page> ReadPage(std::string_view body, PageKind kind) {
  if (json::IsTooDeep(body, kDeepest)) return std::nullopt;
  const std::string text = Repaired(body, Zero::kReplace);
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos || text[begin] != '[' || !Json::accept(text)) return std::nullopt;
  Page page;
  for (std::string& element : Elements(text)) {
    Json value = json::Parse(element);
    if (kind == PageKind::kGroups ? !IsGroup(value) : !value.is_object()) return std::nullopt;
    page.push_back({std::move(element), std::move(value)});
  }
  return page;
}

std::optional<std::int64_t> ReadCount(std::string_view body) {
  if (json::IsTooDeep(body, kDeepest)) return std::nullopt;
  const Json answer = json::Parse(Repaired(body, Zero::kKeep));
  const Json* count = answer.is_object() ? json::Find(answer, "count") : nullptr;
  if (count == nullptr || !IsCount(count)) return std::nullopt;
  return static_cast<std::int64_t>(count->get<double>());
}

std::optional<std::string> ReadToken(std::string_view body) {
  if (json::IsTooDeep(body)) return std::nullopt;
  const Json answer = json::Parse(Repaired(body, Zero::kKeep));
  if (!answer.is_object()) return std::nullopt;
  const Json* member = json::Find(answer, "access_token");
  if (member == nullptr || !member->is_string()) return std::nullopt;
  auto token = member->get<std::string>();
  const std::size_t padding = token.find_last_not_of('=') + 1;
  if (padding == 0 || token.size() > kLongestToken) return std::nullopt;
  if (!IsMadeOf(std::string_view(token).substr(0, padding), "._~+/-")) return std::nullopt;
  return token;
}

}  // namespace mfi::core
