#pragma once

#include <string>
#include <string_view>
#include <vector>

// Lines of a configuration file of PostgreSQL.
namespace mfi::core {

/// `name = 'value'` and a line feed.
std::string SettingLine(std::string_view name, std::string_view value);

/// `text` without the lines that set one of `names`; a name that ends with `*` stands for all that begin so.
std::string WithoutSettings(std::string_view text, const std::vector<std::string>& names);

}  // namespace mfi::core
