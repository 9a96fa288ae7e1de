#include "command/arguments.h"

#include <iostream>
#include <memory>
#include <string>

#include "command/base/client.h"
#include "command/offsite/offsite_actions.h"
#include "command/offsite/repository.h"

namespace mfi::command {

void AddOffsite(CLI::App& app, Call&) {
  auto* offsite = app.add_subcommand("offsite", "Copies in a repository elsewhere");
  offsite->require_subcommand(1);

  auto* list = offsite->add_subcommand("list", "Lists the backups and recovery stores that are there");
  const auto of_list = AddRepositoryOptions(*list);
  list->callback([of_list] {
    PrepareEnvironment();
    ListCopies(*of_list, std::cout);
  });

  auto* check = offsite->add_subcommand("check", "Reads every byte of the repository; exit code 0: nothing is damaged");
  const auto of_check = AddRepositoryOptions(*check);
  check->callback([of_check] {
    PrepareEnvironment();
    CheckRepository(*of_check, std::cout);
  });

  auto* sheet =
      offsite->add_subcommand("key-sheet", "Prints the page that brings the database back without any of its machines");
  const auto of_sheet = AddRepositoryOptions(*sheet);
  sheet->callback([of_sheet] {
    PrepareEnvironment();
    PrintKeySheet(*of_sheet, std::cout);
  });
}

}  // namespace mfi::command
