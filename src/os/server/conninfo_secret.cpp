#include "os/server/conninfo_secret.h"

#include <libpq-fe.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <string_view>

#include "core/base/error.h"

namespace mfi::os {
namespace {

constexpr int kMostNested = 4;

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower;
}

bool NamesASecret(const std::string& text) {
  constexpr const char* kWords[] = {"password", "passwd", "secret", "token", "scram_client_key", "scram_server_key"};
  return std::any_of(std::begin(kWords), std::end(kWords),
                     [&](const char* word) { return text.find(word) != std::string::npos; });
}

bool IsConninfo(const std::string& text) {
  return text.find('=') != std::string::npos || text.rfind("postgres://", 0) == 0 ||
         text.rfind("postgresql://", 0) == 0;
}

/// libpq marks a value that must be hidden while it is typed; a later version may have some that this one lacks.
bool IsSecret(const PQconninfoOption& option) {
  return option.dispchar[0] == '*' || NamesASecret(Lower(option.keyword));
}

std::string SecretIn(const std::string& conninfo, int nested) {
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(PQconninfoParse(conninfo.c_str(), nullptr),
                                                                             PQconninfoFree);
  if (!options) throw core::Error(core::sqlstate::kInvalidParameterValue, "it is no connection string");
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    std::string keyword = option->keyword;
    const std::string value = option->val;
    if (IsSecret(*option)) return keyword;
    if (keyword == "options" && NamesASecret(Lower(value))) return keyword;
    // Programs take a whole connection string for a database's name, and libpq expands it.
    if (keyword == "dbname" && IsConninfo(value)) {
      if (nested == 0) return keyword;
      std::string inner;
      try {
        inner = SecretIn(value, nested - 1);
      } catch (const core::Error&) {
        inner = NamesASecret(Lower(value)) ? keyword : "";
      }
      if (!inner.empty()) return inner;
    }
  }
  return {};
}

}  // namespace

std::string SecretIn(const std::string& conninfo) { return SecretIn(conninfo, kMostNested); }

}  // namespace mfi::os
