#pragma once

#include <string>
#include <string_view>

namespace mfi::core {

/// A text, which may be a piece of JSON, without the secrets in it: private keys in PEM, userinfo of URLs, tokens and
/// credentials of HTTP, hashes of passwords, name=value, --name value, <name>value</name>. Of JSON it ends where the
/// first secret begins: what belongs to that is hard to tell.
std::string RedactedText(std::string_view text);

}  // namespace mfi::core
