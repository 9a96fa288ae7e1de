#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace mfi::command {

/// What the subcommands share with main: how the operator called the program, and the exit code of the one that ran.
struct Call {
  std::string name = "mfi";  // such as "mfi" or "/restore.sh"
  int exit_code = 0;
};

// The subcommands of each room, as the operator types them. A subcommand throws Error for exit code 1.
void AddBackupCommands(CLI::App& app, Call& call);
void AddHealth(CLI::App& app, Call& call);
void AddKeycloak(CLI::App& app, Call& call);
void AddManual(CLI::App& app);
void AddNode(CLI::App& app, Call& call);
void AddOffsite(CLI::App& app, Call& call);
void AddRecover(CLI::App& app, Call& call);
void AddRestore(CLI::App& app, Call& call);
void AddUpgrade(CLI::App& app);

}  // namespace mfi::command
