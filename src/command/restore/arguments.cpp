#include "command/arguments.h"

#include <iostream>
#include <memory>
#include <string>

#include "command/base/client.h"
#include "command/base/command_host.h"
#include "command/offsite/repository.h"
#include "command/restore/restore.h"
#include "os/offsite/restic.h"

namespace mfi::command {

void AddRestore(CLI::App& app, Call& call) {
  auto* command =
      app.add_subcommand("restore", "Restores a backup set, by default the newest proven one, into a new database");
  const auto options = std::make_shared<RestoreOptions>();
  if (call.name != Call().name) options->called = call.name;  // such as /restore.sh
  auto* into = command->add_option("--into", options->into,
                                   "name of the new database (default: <database>_restored_<time>); it must not exist, "
                                   "or be empty");
  auto* replace =
      command->add_option("--replace", options->replace,
                          "puts the restored database in the place of this one; the old one stays beside it "
                          "under another name");
  into->excludes(replace);
  for (CLI::Option* name : {into, replace}) {
    name->check([](const std::string& text) {
      return text.empty() || text.size() > 63 ? "a database's name has 1 to 63 bytes" : std::string();
    });
  }
  command->add_flag("--globals", options->globals,
                    "first the set's roles; those that exist stay as they are, and tablespaces are not made");
  command->add_option("--jobs", options->jobs, "parallel jobs of pg_restore (default: one per processor, at most 4)")
      ->check(CLI::Range(1, 1000));
  command->add_option("set", options->set, "an id of mfi_backups, or a directory");
  const auto offsite = std::make_shared<bool>(false);
  command->add_flag("--offsite", *offsite, "the set is fetched from the repository elsewhere, by default the newest");
  const auto scratch = std::make_shared<std::string>("/var/tmp");
  command->add_option("--scratch", *scratch, "with --offsite, directory to fetch into (default: /var/tmp)");
  const std::shared_ptr<RepositoryOptions> repository = AddRepositoryOptions(*command);
  command->footer(
      "Which server: PGHOST, PGPORT and PGUSER, as for psql. It needs a superuser and the right to read the set.\n"
      "It stops at the first error; exit code 0 when all that was restored is equal to what the set's manifest says.");
  command->callback([=] {
    PrepareEnvironment();
    if (!*offsite) return Restore(*options, std::cout);
    CommandHost host;
    const std::string id = options->set == RestoreOptions().set ? "" : options->set;
    const FetchedCopy copy(*repository, os::kSetTag, id, *scratch, host, std::cout);
    RestoreOptions of_copy = *options;
    of_copy.set = copy.path();
    of_copy.temporary = true;
    Restore(of_copy, std::cout);
  });
}

}  // namespace mfi::command
