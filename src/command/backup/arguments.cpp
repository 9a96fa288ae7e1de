#include "command/arguments.h"

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "command/backup/backup_actions.h"
#include "command/backup/list_backups.h"
#include "command/backup/take_backup.h"

namespace mfi::command {
namespace {

constexpr char kId[] = "an id of mfi_backups";

void AddBackup(CLI::App& app, Call& call) {
  struct Options {
    std::string note;
    bool json = false;
  };
  auto* command = app.add_subcommand("backup", "Takes a backup now and waits for it");
  const auto options = std::make_shared<Options>();
  command->add_option("note", options->note, "what this backup is for");
  command->add_flag("--json", options->json, "answers in JSON, at the end");
  command->footer(
      "Exit code 0 when it is there and verified as mfi.backup_verify wants, 1 when it failed, 2 when it is there but\n"
      "could not be proven. Ctrl-C ends the waiting, not the backup.");
  command->callback(
      [options, &call] { call.exit_code = TakeBackup(options->note, options->json, std::cout, std::cerr); });
}

void AddBackups(CLI::App& app) {
  auto* command = app.add_subcommand("backups", "Lists the backups");
  const auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "all columns of mfi_backups, in JSON");
  command->callback([json] { ListBackups(*json, std::cout); });
}

void AddVerify(CLI::App& app, Call& call) {
  auto* command = app.add_subcommand("verify", "Proves a backup again and says ok, or what differs");
  const auto id = std::make_shared<std::string>();
  const auto json = std::make_shared<bool>(false);
  command->add_option("id", *id, kId)->required();
  command->add_flag("--json", *json, "answers in JSON");
  command->footer("Exit code 0 when it is proven, 1 when it differs, 2 when it could not be proven.");
  command->callback([id, json, &call] { call.exit_code = VerifyBackup(*id, *json, std::cout); });
}

void AddHold(CLI::App& app) {
  auto* command = app.add_subcommand("hold", "Keeps a backup from being deleted by retention");
  const auto id = std::make_shared<std::string>();
  const auto reason = std::make_shared<std::string>();
  command->add_option("id", *id, kId)->required();
  command->add_option("reason", *reason, "why it is kept")->required();
  command->callback([id, reason] {
    ActOnBackup("hold", {*id, *reason}, *id + " is kept until mfi release", std::cout);
  });
}

void AddAction(CLI::App& app, const std::string& verb, const std::string& description, const std::string& done) {
  auto* command = app.add_subcommand(verb, description);
  const auto id = std::make_shared<std::string>();
  command->add_option("id", *id, kId)->required();
  command->callback([id, verb, done] { ActOnBackup(verb, {*id}, *id + done, std::cout); });
}

}  // namespace

void AddBackupCommands(CLI::App& app, Call& call) {
  AddBackup(app, call);
  AddBackups(app);
  AddVerify(app, call);
  AddHold(app);
  AddAction(app, "release", "Lets retention delete a backup that was held", " is no longer held");
  AddAction(app, "cancel", "Cancels a backup that is queued or runs", " is cancelled");
  AddAction(app, "adopt", "Makes a backup of another cluster one of this cluster's own, for retention",
            " is one of this cluster's own");
}

}  // namespace mfi::command
