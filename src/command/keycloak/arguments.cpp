#include "command/arguments.h"

#include <iostream>
#include <memory>

#include "command/keycloak/options.h"
#include "command/keycloak/sync.h"

namespace mfi::command {
namespace {

constexpr char kFooter[] =
    "It can be run as often as one likes.\n"
    "Environment: KEYCLOAK_URL, KEYCLOAK_REALM, KEYCLOAK_CLIENT_ID, KEYCLOAK_CLIENT_SECRET or\n"
    "KEYCLOAK_CLIENT_SECRET_FILE, KEYCLOAK_TOKEN_REALM (of the client; the realm), KEYCLOAK_CA_FILE, KEYCLOAK_PAGE "
    "(100),\n"
    "KEYCLOAK_TIMEOUT (30 s), KEYCLOAK_TRIES (5), KEYCLOAK_RETRY_DELAY (1 s, then doubled), KEYCLOAK_ANSWER_MB (16) "
    "and\n"
    "KEYCLOAK_TOTAL_MB (1024), more than which no answer and no part of a run may be, KEYCLOAK_TOTAL_TIME (3600 s), "
    "longer\n"
    "than which Keycloak is not asked, KEYCLOAK_ALLOW_HTTP=yes for a KEYCLOAK_URL without TLS.\n"
    "Exit code: 0 all done, 1 something was not done, 2 wrong use, 3 done, but malformed events were left out.";

std::string NotEmpty(const std::string& text) { return text.empty() ? "it is empty" : ""; }

}  // namespace

void AddKeycloak(CLI::App& app, Call& call) {
  auto* keycloak = app.add_subcommand("keycloak", "What the database has of Keycloak");
  keycloak->require_subcommand(1);
  auto* command = keycloak->add_subcommand(
      "sync",
      "Makes the groups of a portal or MFI what they are in its Keycloak realm, and imports the realm's\n"
      "events since the last time");
  struct Arguments {
    KeycloakSyncOptions options;
    bool only_groups = false;
    bool only_events = false;
  };
  const auto arguments = std::make_shared<Arguments>();
  KeycloakSyncOptions& options = arguments->options;
  command->add_flag("--dry-run", options.dry_run, "tells what it would do, and writes nothing");
  command->add_option("--realm", options.realm, "the realm (KEYCLOAK_REALM)")
      ->type_name("NAME")
      ->check(NotEmpty)
      ->take_last();
  auto* portal = command->add_option("--portal", options.portal, "whose groups they are: portals.id, or");
  auto* mfi =
      command->add_option("--mfi", options.mfi, "mfi_clients.id; by default the one portal or MFI with that realm_id");
  for (CLI::Option* scope : {portal, mfi}) scope->type_name("ID")->check(NotEmpty)->take_last();
  portal->excludes(mfi);
  command
      ->add_option("--option", options.options,
                   "an option of mfi_sync_portal_groups, such as max_delete_ratio=1 or\n"
                   "root_group_path='\"/mfis/umoja\"'")
      ->type_name("NAME=JSON")
      ->allow_extra_args(false)
      ->check([](const std::string& text) {
        return IsSyncOption(text) ? std::string() : "it must be NAME=JSON, such as max_delete_ratio=1";
      });
  command->add_flag("--groups", arguments->only_groups, "only the groups");
  command->add_flag("--events", arguments->only_events, "only the events");
  command->footer(kFooter);
  command->callback([arguments, &call] {
    KeycloakSyncOptions chosen = arguments->options;
    chosen.groups = arguments->only_groups || !arguments->only_events;
    chosen.events = arguments->only_events || !arguments->only_groups;
    call.exit_code = SyncKeycloak(chosen, std::cout, std::cerr);
  });
}

}  // namespace mfi::command
