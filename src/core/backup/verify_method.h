#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mfi::core {

/// How a set is verified, or was: by a restore into a scratch server and a comparison (a proof), by reading the archive
/// to its end, or not at all.
enum class VerifyMethod { kRestore, kList, kNone };

/// `restore`, `list` or `none`, as settings, manifests and SQL have it; empty for a set that no method was applied to.
std::string ToString(std::optional<VerifyMethod> method);
/// nullopt for any other text, such as a later version's method.
std::optional<VerifyMethod> ParseVerifyMethod(std::string_view text);

}  // namespace mfi::core
