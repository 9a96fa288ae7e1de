#pragma once

#include <string_view>

namespace mfi::core {

/// What a name says of the value that has it.
enum class SecretKind {
  kNone,
  kWhole,  // a secret, whatever it is
  kPart,   // unless it is a number, true or false: client.secret.rotated
  kToken,  // unless it is one of these, or a text that is: use.refresh.tokens
};

/// Reads a name word by word, in camel case or between any signs, so that `client.secret.rotated` and `apiKey` name
/// secrets, and `accessTokenLifespan`, `passwordPolicy` and `refresh_token_id` do not.
SecretKind KindOfName(std::string_view name);

/// Whether a text is a secret when its name is of that kind.
bool IsSecretText(SecretKind kind, std::string_view value);

}  // namespace mfi::core
