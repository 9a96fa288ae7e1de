#include "core/node/settings_text.h"

#include <algorithm>

namespace mfi::core {
namespace {

constexpr std::string_view kBlanks = " \t";

/// The name that a line sets, in lower case; empty when it sets none. The equals sign may be left out.
std::string NameIn(std::string_view line) {
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  std::string name(line.substr(0, line.find_first_of(" \t='#")));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return name;
}

bool Matches(const std::string& name, std::string_view pattern) {
  if (!pattern.ends_with('*')) return name == pattern;
  return name.starts_with(pattern.substr(0, pattern.size() - 1));
}

}  // namespace

std::string SettingLine(std::string_view name, std::string_view value) {
  std::string line = std::string(name) + " = '";
  for (const char c : value) {
    if (c == '\\' || c == '\'') line += c;
    line += c;
  }
  return line + "'\n";
}

std::string WithoutSettings(std::string_view text, const std::vector<std::string>& names) {
  std::string kept;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, std::min(text.find('\n'), text.size() - 1) + 1);
    text.remove_prefix(line.size());
    const std::string name = NameIn(line);
    if (std::none_of(names.begin(), names.end(), [&](const std::string& n) { return Matches(name, n); })) kept += line;
  }
  return kept;
}

}  // namespace mfi::core
