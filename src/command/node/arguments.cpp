#include "command/arguments.h"

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "command/base/client.h"
#include "command/base/command_host.h"
#include "command/node/follow_backups.h"
#include "command/node/node_own.h"
#include "command/node/promote.h"
#include "command/node/promote_node.h"
#include "command/node/rejoin.h"
#include "command/node/rejoin_node.h"
#include "command/node/secret.h"
#include "command/node/start_node.h"
#include "command/node/this_node.h"
#include "core/base/error.h"
#include "os/node/control_file.h"

namespace mfi::command {
namespace {

/// All of standard input, less one line break at its end.
std::string PasswordFromInput() {
  constexpr std::size_t kLimit = 65536;
  std::string text(kLimit + 1, '\0');
  std::cin.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::cin.gcount()));
  if (text.size() > kLimit)
    throw core::Error(core::sqlstate::kInvalidParameterValue, "the password is longer than 64 kB");
  if (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

void AddSecret(CLI::App& node) {
  struct Options {
    std::string system_identifier;
    std::string data;
    std::vector<std::string> names;
  };
  auto* command =
      node.add_subcommand("secret", "Prints secrets derived from the password on standard input, one a line");
  const auto options = std::make_shared<Options>();
  auto* cluster = command->add_option_group("cluster");
  cluster->add_option("--system-identifier", options->system_identifier,
                      "of the database cluster, as pg_controldata shows it");
  cluster->add_option("-D", options->data, "its data directory");
  cluster->require_option(1);
  command->add_option("name", options->names, "what each secret is for, such as mfi_probe")->required();
  command->callback([options] {
    if (!options->data.empty()) {
      CommandHost host;
      options->system_identifier = os::ReadControlData(options->data, host).system_identifier;
    }
    for (const std::string& secret : DeriveSecrets(PasswordFromInput(), options->system_identifier, options->names)) {
      std::cout << secret << "\n";
    }
  });
}

void AddOwn(CLI::App& node) {
  struct Options {
    std::string user;
    std::string mode = "700";
    std::vector<std::string> directories;
  };
  auto* command = node.add_subcommand(
      "own", "Gives directories to a user: each of them itself, nothing in it, and never through a link");
  const auto options = std::make_shared<Options>();
  command->add_option("--user", options->user, "the user's name")->required();
  command->add_option("--mode", options->mode, "permissions, such as 750")
      ->check([](const std::string& text) {
        const bool good = text.size() == 3 && text.find_first_not_of("01234567") == std::string::npos;
        return good ? std::string() : text + " is no mode of three octal digits";
      })
      ->capture_default_str();
  command->add_option("directory", options->directories, "a directory")->required();
  command->callback([options] {
    const uid_t user = UserNumber(options->user);
    for (const std::string& directory : options->directories) {
      OwnDirectory(directory, user, static_cast<unsigned>(std::stoul(options->mode, nullptr, 8)));
    }
  });
}

void AddFollow(CLI::App& node) {
  auto* command = node.add_subcommand(
      "follow", "Asks for a backup when none is fresh, then tells each backup's changes of state, until it is stopped");
  command->callback([] { FollowBackups(std::cerr); });
}

void AddSettings(CLI::App& node) {
  auto* command = node.add_subcommand("settings",
                                      "Prints the lines of this node's configuration that name the other one, and by "
                                      "MFI_RECOVERY those of recovery");
  command->callback([] {
    const core::NodePlace place = PlaceOfThisNode();
    const char* who = std::getenv("MFI_RECOVERY");  // NOLINT(concurrency-mt-unsafe): one thread
    std::cout << core::NodeSettings(place) << core::RecoverySettings(place, who == nullptr ? "" : who);
  });
}

void AddClone(CLI::App& node, Call& call) {
  auto* command =
      node.add_subcommand("clone", "Makes this node's data directory, which is not there, from the other node's");
  const auto or_new = std::make_shared<bool>(false);
  command->add_flag("--or-new", *or_new, "ends with 3 when there is nobody to clone: a new database is to be made");
  command->callback([or_new, &call] { call.exit_code = CloneNode(PlaceOfThisNode(), *or_new, std::cerr); });
}

void AddStart(CLI::App& node, Call& call) {
  auto* command = node.add_subcommand(
      "rejoin",
      "Ends when the server of this node's data directory may start: as a standby, or by a word as the primary");
  const auto first = std::make_shared<bool>(false);
  command->add_flag("--first", *first, "of the node that is the primary unless the other one was promoted");
  command->callback([first, &call] { call.exit_code = StartNode(PlaceOfThisNode(), *first, std::cerr); });
}

/// The options of `command` that are for another place than a container of the stack.
void RefuseInContainer(const CLI::App& command, const std::vector<const CLI::Option*>& options) {
  for (const CLI::Option* option : options) {
    if (option->count() > 0) {
      throw CLI::ValidationError(command.get_name(), option->get_name() + " is not for a container of the stack");
    }
  }
}

void AddPromote(CLI::App& app, Call& call) {
  auto* command = app.add_subcommand(
      "promote",
      "Makes this standby the primary: step one of a failover. It does so when the old primary is proven to be dead");
  const auto options = std::make_shared<PromoteOptions>();
  const auto seconds = std::make_shared<double>(6);
  command->add_flag("--primary-is-down", options->primary_is_down,
                    "you state that the old primary is down and will not come back as a primary, and it is not looked "
                    "for. If that is not so, both nodes take writes, and what one of them took is lost");
  auto* slot =
      command->add_option("--slot", options->slot, "name of the slot for the other node")->capture_default_str();
  command->add_option("--within", *seconds, "seconds in which the old primary is looked for three times: 0.1 to 10")
      ->check(CLI::Range(0.1, 10.0))
      ->capture_default_str();
  command->footer(
      "Dead is who refuses connections (nobody listens) at every address of primary_conninfo and mfi.peer_conninfo, "
      "three times; in a\ncontainer, also whom the engine no longer knows, as after docker compose stop. Whoever "
      "answers is alive, be it with an error;\nsilence, a firewall, a name that is not found or a connection string "
      "that cannot be read prove nothing.\n"
      "It waits until all that arrived is replayed, and leaves a slot for the other node, so that the WAL it needs to "
      "come back is kept.\n"
      "Which server: PGHOST and PGPORT, as for psql; it needs a superuser. Step two is mfi rejoin on the other node.\n"
      "In a container, where it is /promote.sh, it makes that node the primary, also after a restart:\n"
      "  docker compose stop db-primary && docker compose exec db-replica /promote.sh");
  // Scripts of 1.1 have it: they get to know what takes its place.
  command
      ->add_flag_callback("--force",
                          [] {
                            throw CLI::ValidationError(
                                "--force",
                                "is gone: use --primary-is-down when the old primary is down and will not "
                                "come back as a primary");
                          })
      ->group("");
  command->callback([options, seconds, slot, command, &call] {
    if (InContainer()) RefuseInContainer(*command, {slot});
    options->within = std::chrono::milliseconds(static_cast<int>(*seconds * 1000));
    PrepareEnvironment();
    call.exit_code = InContainer() ? PromoteNode(PlaceOfThisNode(), *options, std::cerr) : Promote(*options, std::cerr);
  });
}

void AddRejoin(CLI::App& app, Call& call) {
  auto* command =
      app.add_subcommand("rejoin",
                         "Makes a stopped old primary the standby of the node that was promoted: step two of a "
                         "failover");
  const auto options = std::make_shared<RejoinOptions>();
  const auto no_start = std::make_shared<bool>(false);
  auto* data = command->add_option("-D", options->data, "the data directory of the old primary");
  auto* primary = command->add_option(
      "-d", options->primary,
      "the new primary: a connection string of a superuser without a password (that belongs into a passfile), such as "
      "'host=db2 port=5432 user=postgres'");
  const std::vector<const CLI::Option*> more = {
      primary,
      command->add_option("--replication", options->replication,
                          "how this node will stream, when not as -d: 'host=db2 user=replicator passfile=...'"),
      command->add_option("--slot", options->slot, "its slot on the new primary")->capture_default_str(),
      command->add_option("--name", options->name, "its application_name there (default: the slot's name)"),
      command->add_option("--config-file", options->config_file, "when postgresql.conf is not in the data directory"),
      command->add_flag("--clone", options->clone, "clones anew without trying pg_rewind"),
      command->add_flag("--no-start", *no_start, "leaves the start to you (systemctl start ...)")};
  command->footer(
      "It rewinds (pg_rewind), or clones anew when that cannot be done, keeps this node's own configuration, and "
      "starts "
      "it. Run it as the server's user.\n"
      "Its slots are dropped, as those it had as a primary would keep WAL for nobody: make those of its own standbys "
      "again.\nNothing else is deleted: what is replaced by a clone stays beside it as DATA-DIRECTORY.aside.*\n"
      "In a container, where it is /rejoin.sh and takes no options, the old primary becomes a standby of the other "
      "node:\n  docker compose start db-primary && docker compose exec db-primary /rejoin.sh");
  command->callback([options, no_start, command, data, primary, more, &call] {
    if (InContainer() && data->count() == 0) {
      RefuseInContainer(*command, more);
      PrepareEnvironment();
      call.exit_code = RejoinNode(PlaceOfThisNode(), std::cerr);
      return;
    }
    for (const CLI::Option* needed : {data, primary}) {
      if (needed->results().empty() || needed->results()[0].empty()) throw CLI::RequiredError(needed->get_name());
    }
    options->start = !*no_start;
    if (!InContainer()) PrepareEnvironment();
    call.exit_code = Rejoin(*options, std::cerr);
  });
}

}  // namespace

void AddNode(CLI::App& app, Call& call) {
  auto* node = app.add_subcommand("node", "What the containers of the two nodes ask");
  node->require_subcommand(1);
  AddSecret(*node);
  AddOwn(*node);
  AddFollow(*node);
  AddSettings(*node);
  AddClone(*node, call);
  AddStart(*node, call);
  AddPromote(app, call);
  AddRejoin(app, call);
}

}  // namespace mfi::command
