#include "core/offsite/environment_file.h"

#include <algorithm>
#include <cctype>

#include "core/base/error.h"

namespace mfi::core {
namespace {

constexpr std::string_view kExport = "export ";

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const std::size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

bool IsName(std::string_view name) {
  const auto fits = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name.front())) == 0 &&
         std::all_of(name.begin(), name.end(), fits);
}

std::string_view Unquoted(std::string_view value) {
  const bool quoted =
      value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front();
  return quoted ? value.substr(1, value.size() - 2) : value;
}

}  // namespace

std::vector<std::string> ParseEnvironment(std::string_view text) {
  std::vector<std::string> environment;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = Trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    if (line.starts_with(kExport)) line = Trimmed(line.substr(kExport.size()));
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos || !IsName(line.substr(0, equals)) ||
        line.find('\0') != std::string_view::npos) {
      throw Error(sqlstate::kConfigFile, "line " + std::to_string(number) + " is no NAME=value", {},
                  "The file has a line for each variable, such as AWS_ACCESS_KEY_ID=...");
    }
    environment.push_back(std::string(line.substr(0, equals + 1)).append(Unquoted(line.substr(equals + 1))));
  }
  return environment;
}

}  // namespace mfi::core
