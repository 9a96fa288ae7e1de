#include "command/keycloak/options.h"

#include <nlohmann/json.hpp>

namespace mfi::command {

bool IsSyncOption(const std::string& text) {
  const std::size_t sign = text.find('=');
  return sign != std::string::npos && sign > 0 && nlohmann::json::accept(text.substr(sign + 1));
}

std::string SyncOptions(const KeycloakSyncOptions& options) {
  std::string object = "{";
  for (const std::string& option : options.options) {
    const std::size_t sign = option.find('=');
    // The value as it was typed: no digit of a number is lost.
    object += nlohmann::json(option.substr(0, sign)).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
              ": " + option.substr(sign + 1) + ", ";
  }
  return object + "\"dry_run\": " + (options.dry_run ? "true" : "false") + "}";
}

}  // namespace mfi::command
