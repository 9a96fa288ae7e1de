#include "os/keycloak/admin_api.h"

#include <cmath>
#include <utility>

#include "core/base/error.h"
#include "core/keycloak/page_text.h"

namespace mfi::os {
namespace {

using core::UrlEncoded;

constexpr int kOk = 200;
constexpr int kUnauthorized = 401;
constexpr int kForbidden = 403;
constexpr int kNotFound = 404;
constexpr int kMostRefusals = 2;  // of new tokens for one page

[[noreturn]] void Fail(const std::string& what, const std::string& next_step) {
  throw core::Error(core::sqlstate::kConnectionFailure, what, {}, next_step);
}

bool LeadsElsewhere(int status) { return status >= 300 && status < 400; }

}  // namespace

AdminApi::AdminApi(HttpClient& http, KeycloakAccess access, std::function<void(const std::string&)> say)
    : http_(http), access_(std::move(access)), say_(std::move(say)) {}

void AdminApi::PauseAfter(int attempt) { http_.Pause(access_.retry_delay * std::exp2(attempt - 1)); }

void AdminApi::LogIn() {
  const std::string url = access_.url + "/realms/" + UrlEncoded(access_.token_realm) + "/protocol/openid-connect/token";
  const std::string form = "grant_type=client_credentials&client_id=" + UrlEncoded(access_.client) +
                           "&client_secret=" + UrlEncoded(access_.secret);
  for (int attempt = 1;; ++attempt) {
    const HttpAnswer answer = http_.Post(url, form);
    if (answer.status == kOk) {
      const auto token = core::ReadToken(answer.body);
      if (!token) {
        Fail("what " + access_.url + " gives is no token",
             "Is KEYCLOAK_URL that of Keycloak itself? Nothing was written.");
      }
      token_ = *token;
      return;
    }
    if (LeadsElsewhere(answer.status)) {
      Fail(access_.url + " leads elsewhere (HTTP " + std::to_string(answer.status) + "), which is not followed",
           "Set KEYCLOAK_URL to the address where Keycloak itself answers.");
    }
    if (answer.status == 400 || answer.status == kUnauthorized || answer.status == kForbidden ||
        answer.status == kNotFound) {
      Fail("Keycloak does not let the client " + access_.client + " in: " + answer.Reason(),
           "Check KEYCLOAK_URL, KEYCLOAK_TOKEN_REALM, KEYCLOAK_CLIENT_ID and its secret; the client needs \"Service "
           "accounts roles\".");
    }
    if (attempt >= access_.tries) {
      Fail("no token from " + access_.url + " after " + std::to_string(access_.tries) + " tries: " + answer.Reason(),
           "Is Keycloak up, and is KEYCLOAK_URL right?");
    }
    PauseAfter(attempt);
  }
}

/// Throws Error for what will not be a page the next time either.
void AdminApi::RefuseForGood(const HttpAnswer& answer, const std::string& path) const {
  if (LeadsElsewhere(answer.status)) {
    Fail(path + " leads elsewhere (HTTP " + std::to_string(answer.status) + "), which is not followed",
         "Set KEYCLOAK_URL to the address where Keycloak itself answers. Nothing was written for this part.");
  }
  if (answer.status == kForbidden) {
    Fail("the client " + access_.client + " may not read " + path,
         "Its service account needs the roles query-groups and view-users (groups) and view-events (events) of "
         "realm-management.");
  }
  const bool may_pass = answer.status == 0 || answer.status == kOk || answer.status == 408 || answer.status == 429 ||
                        (answer.status >= 500 && answer.status < 600);
  if (!may_pass) {
    Fail("Keycloak does not answer " + path + ": " + answer.Reason(), "Nothing was written for this part.");
  }
}

std::optional<Answered> AdminApi::Get(const std::string& path, core::PageKind kind) {
  return Ask(path, [kind](std::string body) -> std::optional<Answered> {
    auto page = core::ReadPage(body, kind);
    if (!page) return std::nullopt;
    return Answered{std::move(*page), std::move(body)};
  });
}

std::optional<std::int64_t> AdminApi::GetCount(const std::string& path) {
  return Ask(path, [](const std::string& body) { return core::ReadCount(body); });
}

template <typename Read>
auto AdminApi::Ask(const std::string& path, const Read& read) -> decltype(read(std::string())) {
  const std::string url = access_.url + "/admin/realms/" + UrlEncoded(access_.realm) + path;
  int refused = 0;
  for (int attempt = 1;;) {
    if (token_.empty()) LogIn();
    HttpAnswer answer = http_.Get(url, token_);
    if (answer.status == kNotFound) return std::nullopt;
    if (answer.status == kOk) {
      if (auto value = read(answer.body)) return value;
    }
    if (answer.status == kUnauthorized) {
      token_.clear();
      if (++refused > kMostRefusals) Fail("Keycloak refuses every token for " + path, answer.Reason());
      continue;
    }
    RefuseForGood(answer, path);
    if (attempt >= access_.tries) {
      Fail("no answer to " + path + " after " + std::to_string(access_.tries) + " tries: " + answer.Reason(),
           "Nothing was written for this part. Run it again when Keycloak is well.");
    }
    say_("try " + std::to_string(attempt) + " of " + path + ": " + answer.Reason());
    PauseAfter(attempt++);
  }
}

}  // namespace mfi::os
