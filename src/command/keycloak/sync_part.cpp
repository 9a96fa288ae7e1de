#include "command/keycloak/sync_part.h"

#include <ctime>
#include <ostream>
#include <sstream>

#include "command/base/client.h"
#include "core/base/printable.h"

namespace mfi::command {
namespace {

void QuoteLines(std::ostream& err, const char* title, const std::string& text) {
  if (text.empty()) return;
  std::istringstream lines(title + text);
  for (std::string line; std::getline(lines, line);) err << "    " << core::Printable(line) << "\n";
}

}  // namespace

void Say(std::ostream& err, const std::string& what, const std::string& next_step) {
  const std::time_t now = std::time(nullptr);
  std::tm civil{};
  gmtime_r(&now, &civil);
  char stamp[sizeof "2026-11-22 02:00:00"] = "";
  std::strftime(stamp, sizeof stamp, "%F %T", &civil);
  err << stamp << " UTC mfi: " << core::Printable(what) << "\n";
  std::istringstream lines(next_step);
  for (std::string line; std::getline(lines, line);) err << "    " << core::Printable(line) << "\n";
  err << std::flush;
}

void Quote(std::ostream& err, const core::Error& error) {
  const bool said_by_server = dynamic_cast<const os::ServerError*>(&error) != nullptr;
  QuoteLines(err, said_by_server ? "ERROR:  " : "", error.what());
  QuoteLines(err, "DETAIL:  ", error.detail());
  QuoteLines(err, "HINT:  ", error.hint());
}

std::vector<os::Row> Ask(const SyncPart& part, const std::string& sql, const std::vector<std::string>& parameters) {
  try {
    Client client(part.waiter, "keycloak sync", std::chrono::seconds{0});
    return client.Ask(sql, parameters);
  } catch (const core::Stop&) {
    throw;
  } catch (const core::Error& error) {
    Quote(part.err, error);
    throw Told(error.sqlstate(), error.what());
  }
}

void FailWithoutRealm(const KeycloakSettings& settings) {
  throw core::Error(core::sqlstate::kUndefinedObject,
                    "there is no realm " + settings.access.realm + " at " + settings.access.url, {},
                    "Check KEYCLOAK_URL and KEYCLOAK_REALM.");
}

void CheckMovesOn(std::string& before, const std::string& body) {
  if (before == body) {
    throw core::Error(core::sqlstate::kDataCorrupted, "Keycloak answers the same page again and again", {},
                      "Does a proxy before it drop what follows the question mark?");
  }
  before = body;
}

}  // namespace mfi::command
