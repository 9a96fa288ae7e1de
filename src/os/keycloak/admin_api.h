#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "core/keycloak/page.h"
#include "os/keycloak/http_client.h"

namespace mfi::os {

/// Where a realm is, and who asks for it.
struct KeycloakAccess {
  std::string url;  // of Keycloak, without a slash at its end
  std::string realm;
  std::string token_realm;  // of the client
  std::string client;
  std::string secret;
  int tries = 5;
  std::chrono::duration<double> retry_delay{1};  // doubled with each try
};

/// A page, and its bytes as they came.
struct Answered {
  core::Page page;
  std::string body;
};

/// Keycloak's admin API of one realm, whatever fails on the way to it.
class AdminApi {
 public:
  /// `say` gets a line for each try that failed and is followed by another.
  AdminApi(HttpClient& http, KeycloakAccess access, std::function<void(const std::string& line)> say);

  /// The page at a path of the realm, such as /groups?first=0; nullopt when there is none (404). It logs in where that
  /// is needed, and tries again what can be better the next time. Throws Error with the next step for everything else.
  std::optional<Answered> Get(const std::string& path, core::PageKind kind);

  /// The same for a path that answers with a number, such as /groups/count.
  std::optional<std::int64_t> GetCount(const std::string& path);

 private:
  /// What `read`, which takes the bytes of an answer, makes of the first one that it does not refuse.
  template <typename Read>
  auto Ask(const std::string& path, const Read& read) -> decltype(read(std::string()));
  void LogIn();
  void PauseAfter(int attempt);
  void RefuseForGood(const HttpAnswer& answer, const std::string& path) const;

  HttpClient& http_;
  KeycloakAccess access_;
  std::function<void(const std::string&)> say_;
  std::string token_;
};

}  // namespace mfi::os
