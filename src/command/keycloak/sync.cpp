#include "command/keycloak/sync.h"

#include <cstdlib>
#include <functional>

#include "command/base/client.h"
#include "command/base/command_host.h"
#include "command/keycloak/settings.h"
#include "command/keycloak/sync_part.h"
#include "core/base/error.h"

namespace mfi::command {
namespace {

constexpr int kNotDone = 1;
constexpr int kWrongUse = 2;
constexpr int kMalformed = 3;
constexpr int kStopped = 130;

class Sync {
 public:
  Sync(const KeycloakSyncOptions& options, KeycloakSettings settings, std::ostream& out, std::ostream& err)
      : options_(options), settings_(std::move(settings)), out_(out), err_(err) {}

  int Run() {
    if (options_.groups) {
      RunPart([this](const SyncPart& part) {
        const std::string kind = !options_.portal.empty() ? "portal" : !options_.mfi.empty() ? "mfi" : "";
        SyncGroups(part, kind, kind == "mfi" ? options_.mfi : options_.portal, SyncOptions(options_));
        return true;
      });
    }
    for (const EventLog& log : {kAuthEvents, kAdminEvents}) {
      if (!options_.events) break;
      RunPart([this, &log](const SyncPart& part) { return ImportEvents(part, log, options_.dry_run); });
    }
    return code_;
  }

 private:
  /// Each part has a token and limits of its own, but for the time.
  void RunPart(const std::function<bool(const SyncPart&)>& work) {
    try {
      os::HttpClient http(host_, settings_.server, settings_.limits, begun_);
      os::AdminApi api(http, settings_.access, [this](const std::string& line) { Say(err_, line); });
      if (!work({host_, settings_, api, out_, err_}) && code_ == 0) code_ = kMalformed;
    } catch (const core::Stop&) {
      throw;
    } catch (const Told&) {
      code_ = kNotDone;
    } catch (const core::Error& error) {
      Say(err_, error.what(), error.hint());
      code_ = kNotDone;
    } catch (const std::exception& error) {
      Say(err_, error.what());
      code_ = kNotDone;
    }
  }

  const KeycloakSyncOptions& options_;
  KeycloakSettings settings_;
  std::ostream& out_;
  std::ostream& err_;
  CommandHost host_;
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  int code_ = 0;
};

}  // namespace

int SyncKeycloak(const KeycloakSyncOptions& options, std::ostream& out, std::ostream& err) {
  const std::string secret = ReadClientSecret(FromEnvironment);
  unsetenv("KEYCLOAK_CLIENT_SECRET");  // NOLINT(concurrency-mt-unsafe): one thread
  PrepareEnvironment();
  KeycloakSettings settings;
  try {
    const std::string realm = options.realm.empty() ? FromEnvironment("KEYCLOAK_REALM") : options.realm;
    settings = ReadKeycloakSettings(FromEnvironment, realm, secret);
  } catch (const core::Error& error) {
    Say(err, error.what(), error.hint());
    return kWrongUse;
  }
  try {
    return Sync(options, std::move(settings), out, err).Run();
  } catch (const core::Stop&) {
    return kStopped;
  }
}

}  // namespace mfi::command
