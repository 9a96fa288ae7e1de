#include "command/arguments.h"

#include <iostream>
#include <memory>
#include <string>

#include "command/base/client.h"
#include "command/base/command_host.h"
#include "command/offsite/repository.h"
#include "command/recovery/recover.h"
#include "os/offsite/restic.h"

namespace mfi::command {

void AddRecover(CLI::App& app, Call&) {
  auto* command =
      app.add_subcommand("recover", "Recovers a database, or a whole node, to any second of the recovery window");
  const auto options = std::make_shared<RecoverOptions>();
  const auto list = std::make_shared<bool>(false);
  auto* target = command->add_option_group("target", "where the recovery ends");
  target->add_option(
      "--to", options->to,
      "a time with its offset from UTC, such as '2026-11-24 13:04:30+02': all that was committed by then; "
      "or latest: all that was received");
  target->add_option("--to-lsn", options->to_lsn, "a position in WAL, such as 16/B374D848");
  target->add_option("--before-xid", options->before_xid, "right before this transaction was committed");
  target->add_flag("--list", *list, "tells from when to when one can recover, and which WAL is missing");
  target->require_option(1);
  auto* into = command->add_option("--into", options->into,
                                   "name of the new database beside the live one (default: <database>_at_<time>)");
  auto* database = command->add_option("--database", options->database, "which database (default: mfi.database)");
  auto* cluster =
      command->add_option("--cluster", options->cluster,
                          "builds a whole node in this directory, which must not exist or be empty, ready to "
                          "start; needs nothing but the store");
  cluster->excludes(into)->excludes(database);
  command->add_option("--store", options->store,
                      "mfi.recovery_directory of a node, or one node's directory in it (default: that of the server)");
  command->add_option(
      "--scratch", options->scratch,
      "directory to work in, with room for the data twice (default: mfi.scratch_directory, else /var/tmp; "
      "of --cluster: beside the new node)");
  const auto offsite = std::make_shared<bool>(false);
  command->add_flag("--offsite", *offsite, "the newest store is fetched from the repository elsewhere, into --scratch");
  const std::shared_ptr<RepositoryOptions> repository = AddRepositoryOptions(*command);
  command->add_flag("--globals", options->globals, "first the roles of then; those that exist stay as they are");
  command->add_option("--jobs", options->jobs, "parallel jobs of pg_restore (default: one per processor, at most 4)")
      ->check(CLI::Range(1, 1000));
  command->footer(
      "Which server: PGHOST, PGPORT and PGUSER, as for psql. It needs a superuser there, and the right to read the "
      "store.\n"
      "Nothing that is live is changed: the recovered database stands beside it, and a table tells what differs.");
  command->callback([=] {
    PrepareEnvironment();
    std::unique_ptr<FetchedCopy> copy;
    if (*offsite) {
      CommandHost host;
      copy = std::make_unique<FetchedCopy>(*repository, os::kRecoveryTag, "",
                                           options->scratch.empty() ? "/var/tmp" : options->scratch, host, std::cout);
      options->store = copy->path();
    }
    if (*list) return ListRecovery(*options, std::cout);
    if (options->cluster.empty()) return RecoverBeside(*options, std::cout);
    RecoverCluster(*options, std::cout);
  });
}

}  // namespace mfi::command
