#include "command/keycloak/settings.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "os/base/file.h"

namespace mfi::command {
namespace {

constexpr char kSecretFile[] = "/run/secrets/keycloak_client_secret";
constexpr std::size_t kLongestSecret = 65536;
constexpr std::string_view kDigits = "0123456789";

[[noreturn]] void Refuse(const std::string& what, const std::string& next_step) {
  throw core::Error(core::sqlstate::kInvalidParameterValue, what, {}, next_step);
}

bool IsDigits(std::string_view text, std::size_t at_most) {
  return !text.empty() && text.size() <= at_most && text.find_first_not_of(kDigits) == std::string_view::npos;
}

int WholeNumber(const Environment& environment, const char* name, int otherwise) {
  const std::string text = environment(name);
  if (text.empty()) return otherwise;
  if (!IsDigits(text, 6) || text.front() == '0') {
    Refuse(
        "KEYCLOAK_PAGE, KEYCLOAK_TRIES, KEYCLOAK_TIMEOUT, KEYCLOAK_ANSWER_MB, KEYCLOAK_TOTAL_MB and "
        "KEYCLOAK_TOTAL_TIME must be whole numbers from 1, not \"" +
            core::Printable(text) + "\"",
        "Correct it.");
  }
  return std::stoi(text);
}

std::chrono::duration<double> RetryDelay(const Environment& environment) {
  const std::string text = environment("KEYCLOAK_RETRY_DELAY");
  if (text.empty()) return std::chrono::duration<double>(1);
  const std::size_t point = text.find('.');
  const std::string_view view(text);
  const bool right =
      IsDigits(view.substr(0, point), 4) && (point == std::string::npos || IsDigits(view.substr(point + 1), 4));
  if (!right) {
    Refuse("KEYCLOAK_RETRY_DELAY must be a number of seconds, not \"" + core::Printable(text) + "\"", "Correct it.");
  }
  return std::chrono::duration<double>(std::strtod(text.c_str(), nullptr));
}

bool HasControlCharacter(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7f'; });
}

bool BeginsWith(std::string_view text, std::string_view with) {
  return text.size() > with.size() && text.substr(0, with.size()) == with;
}

/// Without TLS whoever is on the way reads the secret and writes the groups.
bool MayUseHttp(const std::string& url, const Environment& environment) {
  if (BeginsWith(url, "https://")) return false;
  if (!BeginsWith(url, "http://")) Refuse("KEYCLOAK_URL must begin with https://", "Correct it; nothing was asked.");
  if (environment("KEYCLOAK_ALLOW_HTTP") != "yes") {
    Refuse("KEYCLOAK_URL is not https, so the client's secret would be sent in clear",
           "Give the address with https://, or set KEYCLOAK_ALLOW_HTTP=yes when nobody is on the way.");
  }
  return true;
}

}  // namespace

std::string FromEnvironment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): one thread
  return value == nullptr ? "" : value;
}

std::string ReadClientSecret(const Environment& environment) {
  std::string secret = environment("KEYCLOAK_CLIENT_SECRET");
  if (!secret.empty()) return secret;
  std::string path = environment("KEYCLOAK_CLIENT_SECRET_FILE");
  if (path.empty()) path = kSecretFile;
  struct stat status {};
  if (stat(path.c_str(), &status) != 0 || status.st_size == 0) return {};
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  secret.resize(kLongestSecret);
  file.read(secret.data(), static_cast<std::streamsize>(secret.size()));
  if (!file.eof()) os::ThrowErrno(errno != 0 ? errno : EFBIG, "read file", path);
  secret.resize(static_cast<std::size_t>(file.gcount()));
  while (!secret.empty() && secret.back() == '\n') secret.pop_back();
  return secret;
}

KeycloakSettings ReadKeycloakSettings(const Environment& environment, const std::string& realm,
                                      const std::string& secret) {
  KeycloakSettings settings;
  os::KeycloakAccess& access = settings.access;
  access.url = environment("KEYCLOAK_URL");
  access.realm = realm;
  access.token_realm = environment("KEYCLOAK_TOKEN_REALM");
  access.client = environment("KEYCLOAK_CLIENT_ID");
  access.secret = secret;
  settings.server.ca_file = environment("KEYCLOAK_CA_FILE");
  const std::vector<std::pair<const char*, const std::string*>> needed = {{"KEYCLOAK_URL", &access.url},
                                                                          {"KEYCLOAK_REALM", &access.realm},
                                                                          {"KEYCLOAK_CLIENT_ID", &access.client},
                                                                          {"KEYCLOAK_CLIENT_SECRET", &access.secret}};
  for (const auto& [name, value] : needed) {
    if (value->empty()) {
      Refuse(std::string(name) + " is not set", "See mfi keycloak sync --help, and docs/keycloak.md.");
    }
  }
  settings.page = WholeNumber(environment, "KEYCLOAK_PAGE", settings.page);
  access.tries = WholeNumber(environment, "KEYCLOAK_TRIES", access.tries);
  os::HttpLimits& limits = settings.limits;
  const auto seconds = [&](const char* name, std::chrono::seconds otherwise) {
    return std::chrono::seconds(WholeNumber(environment, name, static_cast<int>(otherwise.count())));
  };
  limits.answer_time = seconds("KEYCLOAK_TIMEOUT", limits.answer_time);
  limits.total_time = seconds("KEYCLOAK_TOTAL_TIME", limits.total_time);
  limits.answer_mb = WholeNumber(environment, "KEYCLOAK_ANSWER_MB", static_cast<int>(limits.answer_mb));
  limits.total_mb = WholeNumber(environment, "KEYCLOAK_TOTAL_MB", static_cast<int>(limits.total_mb));
  access.retry_delay = RetryDelay(environment);
  auto checked = needed;
  checked.insert(checked.end(),
                 {{"KEYCLOAK_TOKEN_REALM", &access.token_realm}, {"KEYCLOAK_CA_FILE", &settings.server.ca_file}});
  for (const auto& [name, value] : checked) {
    if (HasControlCharacter(*value)) {
      Refuse(std::string(name) + " has a control character, such as a line break", "Correct it; nothing was asked.");
    }
  }
  settings.server.allow_http = MayUseHttp(access.url, environment);
  if (access.url.back() == '/') access.url.pop_back();
  if (access.token_realm.empty()) access.token_realm = access.realm;
  return settings;
}

}  // namespace mfi::command
