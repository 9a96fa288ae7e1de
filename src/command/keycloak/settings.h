#pragma once

#include <functional>
#include <string>

#include "os/keycloak/admin_api.h"
#include "os/keycloak/http_client.h"

namespace mfi::command {

/// A variable of the environment; "" when it is not set.
using Environment = std::function<std::string(const char* name)>;

std::string FromEnvironment(const char* name);

/// What a sync needs to know to reach Keycloak.
struct KeycloakSettings {
  os::KeycloakAccess access;
  os::HttpClient::Server server;
  os::HttpLimits limits;
  int page = 100;  // groups or events that are asked for at once
};

/// The client's secret: KEYCLOAK_CLIENT_SECRET, or else what is in the file KEYCLOAK_CLIENT_SECRET_FILE, without line
/// breaks at its end; "" when there is none. Called while the process is still root: the file may be out of reach
/// afterwards. Throws Error when the file is there and cannot be read.
std::string ReadClientSecret(const Environment& environment);

/// All of it, the realm's name as given. Throws Error(22023), with what to do as its hint, for what is missing or
/// wrong: nothing is asked then.
KeycloakSettings ReadKeycloakSettings(const Environment& environment, const std::string& realm,
                                      const std::string& secret);

}  // namespace mfi::command
