#pragma once

#include <string>
#include <vector>

namespace mfi::command {

/// What the operator asks of one sync.
struct KeycloakSyncOptions {
  bool dry_run = false;
  bool groups = true;
  bool events = true;
  std::string realm;                 // empty: KEYCLOAK_REALM
  std::string portal;                // whose groups they are: one of these,
  std::string mfi;                   // or the one with that realm_id
  std::vector<std::string> options;  // of the function, each NAME=JSON
};

/// Whether a text is NAME=JSON.
bool IsSyncOption(const std::string& text);

/// The options of mfi_sync_portal_groups as one JSON object. Of two with one name the last one counts; `dry_run` comes
/// after all of them.
std::string SyncOptions(const KeycloakSyncOptions& options);

}  // namespace mfi::command
