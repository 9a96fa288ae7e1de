#pragma once

#include <string>
#include <string_view>

namespace mfi::core {

/// What stands in the place of a secret.
inline constexpr std::string_view kRedacted = "[redacted]";

/// Whether a text is JSON that a database can read, when what it cannot hold is replaced (Repaired): one that is nested
/// too deeply would end whatever reads it.
bool IsReadableJson(std::string_view text);

/// `json`, which is JSON, without the secrets in it: by their keys, by the name or type beside a value, the private
/// members of JSON Web Keys, in JSON inside of strings, and in text (RedactedText); and without what is nested in more
/// than 30 levels. All else stays as it is.
std::string RedactedJson(std::string_view json);

}  // namespace mfi::core
