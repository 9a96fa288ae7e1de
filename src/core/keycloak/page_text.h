#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mfi::core {

/// The elements of a text that is a JSON array, as they stand there.
std::vector<std::string> Elements(std::string_view array);

/// Percent-encoded, as a part of a URL or of a form.
std::string UrlEncoded(std::string_view text);

}  // namespace mfi::core
