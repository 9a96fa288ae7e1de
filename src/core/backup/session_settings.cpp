#include "core/backup/session_settings.h"

#include <algorithm>
#include <cctype>
#include <iterator>

namespace mfi::core {
namespace {

/// A startup packet has at most 10,000 bytes, for all that it says.
constexpr std::size_t kMostBytes = 6000;

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

bool IsMeaningful(std::string_view name) {
  return std::any_of(std::begin(kMeaningful), std::end(kMeaningful),
                     [&](std::string_view known) { return LowerCase(known) == LowerCase(name); });
}

bool IsNameCharacter(unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '$' || c >= 0x80; }

/// As the server wants it: identifiers with dots between.
bool IsDotted(std::string_view name) {
  bool begins = true;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    const bool wrong_begin = begins && (std::isdigit(byte) != 0 || c == '$');
    if (c == '.' ? begins : wrong_begin || !IsNameCharacter(byte)) return false;
    begins = c == '.';
  }
  return !begins && name.find('.') != std::string_view::npos;
}

std::string AsOption(const SessionSetting& setting) {
  std::string option = " -c " + setting.name + "=";
  for (const char c : setting.value) {
    if (std::isspace(static_cast<unsigned char>(c)) != 0 || c == '\\') option += '\\';
    option += c;
  }
  return option;
}

}  // namespace

std::vector<SessionSetting> SettingsToTake(const std::vector<std::string>& texts,
                                           const std::vector<std::string>& defined) {
  std::vector<SessionSetting> settings;
  for (const std::string& text : texts) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || text.find('\0') != std::string::npos) continue;
    SessionSetting setting{text.substr(0, equals), text.substr(equals + 1)};
    const std::string name = LowerCase(setting.name);
    const bool taken = name.starts_with("mfi.") || std::any_of(defined.begin(), defined.end(), [&](const auto& other) {
                         return LowerCase(other) == name;
                       });
    if (IsMeaningful(name) || (IsDotted(name) && !taken)) settings.push_back(std::move(setting));
  }
  std::stable_sort(settings.begin(), settings.end(), [](const SessionSetting& a, const SessionSetting& b) {
    const auto rank = [](const SessionSetting& s) { return IsMeaningful(s.name) ? 0 : 1 + s.value.size(); };
    return rank(a) < rank(b);
  });
  std::size_t size = 0;
  std::erase_if(settings, [&](const SessionSetting& setting) {
    const std::size_t more = AsOption(setting).size();
    if (size + more > kMostBytes) return true;
    size += more;
    return false;
  });
  return settings;
}

std::string AsOptions(const std::vector<SessionSetting>& settings) {
  std::string options;
  for (const SessionSetting& setting : settings) options += AsOption(setting);
  return options;
}

}  // namespace mfi::core
