#pragma once

#include <string>
#include <string_view>

namespace mfi::core {

/// A text without what is a secret by its own form, whatever is before it: private keys in PEM, userinfo of URLs, JSON
/// Web Tokens, credentials of HTTP, hashes of passwords.
std::string WithoutSecretForms(std::string_view text);

}  // namespace mfi::core
