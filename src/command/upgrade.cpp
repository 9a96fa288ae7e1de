#include "command/upgrade.h"

#include <chrono>
#include <iostream>
#include <string>

#include "command/arguments.h"
#include "command/base/client.h"
#include "command/base/command_host.h"
#include "core/base/error.h"

namespace mfi::command {
namespace {

constexpr std::chrono::seconds kWithoutLimit{0};  // adoption of large tables takes its time

constexpr char kVersion[] = "SELECT extversion FROM pg_extension WHERE extname = 'mfi'";

}  // namespace

void Upgrade(std::ostream& out) {
  PrepareEnvironment();
  CommandHost host;
  Client client(host, "upgrade", kWithoutLimit);
  const std::string before = client.Value(kVersion);
  client.Ask("ALTER EXTENSION mfi UPDATE");
  const std::string after = client.Value(kVersion);
  if (client.Value("SELECT _mfi_schema_ready()") != "t") {
    throw core::Error(core::sqlstate::kUndefinedObject, "a table of the schema is missing, or its unique index", {},
                      "mfi health node says which; a backup has it.");
  }
  out << "extension " << after << (before == after ? ", as before" : ", before: " + before) << std::endl;
}

void AddUpgrade(CLI::App& app) {
  auto* command = app.add_subcommand("upgrade", "Brings the database's objects to the version that is installed");
  command->footer("The same as ALTER EXTENSION mfi UPDATE, and a look whether the schema is whole.");
  command->callback([] { Upgrade(std::cout); });
}

}  // namespace mfi::command
