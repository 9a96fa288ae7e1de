#include "core/backup/verify_method.h"

#include <array>
#include <utility>

namespace mfi::core {
namespace {

constexpr std::array<std::pair<VerifyMethod, const char*>, 3> kMethods = {
    {{VerifyMethod::kRestore, "restore"}, {VerifyMethod::kList, "list"}, {VerifyMethod::kNone, "none"}}};

}  // namespace

std::string ToString(std::optional<VerifyMethod> method) {
  for (const auto& [value, name] : kMethods) {
    if (value == method) return name;
  }
  return {};
}

std::optional<VerifyMethod> ParseVerifyMethod(std::string_view text) {
  for (const auto& [value, name] : kMethods) {
    if (text == name) return value;
  }
  return std::nullopt;
}

}  // namespace mfi::core
