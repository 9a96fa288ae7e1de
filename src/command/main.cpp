// mfi: the operator's program. It ends with 0 when all is done, 1 when something failed, 2 for wrong use.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "command/node/node_own.h"
#include "command/node/node_word.h"
#include "command/node/secret.h"
#include "command/restore/restore.h"
#include "core/base/error.h"
#include "os/base/file.h"

namespace {

using namespace mfi::command;

/// All of standard input, less one line break at its end.
std::string PasswordFromInput() {
  constexpr std::size_t kLimit = 65536;
  std::string text(kLimit + 1, '\0');
  std::cin.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::cin.gcount()));
  if (text.size() > kLimit)
    throw mfi::core::Error(mfi::core::sqlstate::kInvalidParameterValue, "the password is longer than 64 kB");
  if (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

std::string KeyOfFile(const std::string& path) {
  constexpr std::int64_t kLimit = 200;
  std::string key = mfi::os::ReadFile(path, kLimit);
  if (!key.empty() && key.back() == '\n') key.pop_back();
  if (key.size() != 64 || key.find_first_not_of("0123456789abcdef") != std::string::npos) {
    throw mfi::core::Error(mfi::core::sqlstate::kDataCorrupted, "\"" + path + "\" holds no key", {},
                           "mfi node secret makes one.");
  }
  return key;
}

void AddSecret(CLI::App& node) {
  struct Options {
    std::string system_identifier;
    std::vector<std::string> names;
  };
  auto* command =
      node.add_subcommand("secret", "Prints secrets derived from the password on standard input, one a line");
  const auto options = std::make_shared<Options>();
  command
      ->add_option("--system-identifier", options->system_identifier,
                   "of the database cluster, as pg_controldata shows it")
      ->required();
  command->add_option("name", options->names, "what each secret is for, such as mfi_probe")->required();
  command->callback([options] {
    for (const std::string& secret : DeriveSecrets(PasswordFromInput(), options->system_identifier, options->names)) {
      std::cout << secret << "\n";
    }
  });
}

void AddWord(CLI::App& node) {
  struct Options {
    WordPlace place;
    std::string key_file;
    std::string chosen;
    std::uint32_t timeline = 0;
  };
  auto* command = node.add_subcommand(
      "word", "Prints the node and the timeline of the word on which node is the primary; nothing without one");
  const auto options = std::make_shared<Options>();
  command->add_option("--directory", options->place.directory, "that both nodes share")->required();
  command->add_option("--state", options->place.state, "file of this node alone, where it remembers the word")
      ->required();
  command->add_option("--system-identifier", options->place.system_identifier, "of the database cluster")->required();
  command->add_option("--key-file", options->key_file, "file with the key: mfi node secret word")->required();
  auto* chosen = command->add_option("--set", options->chosen, "gives a new word: this node is the primary");
  auto* timeline = command->add_option("--timeline", options->timeline, "its timeline");
  chosen->needs(timeline);
  timeline->needs(chosen);
  command->callback([options, chosen] {
    options->place.key = KeyOfFile(options->key_file);
    const WordInForce in_force =
        chosen->count() > 0 ? WriteWord(options->place, options->chosen, options->timeline) : ReadWord(options->place);
    for (const std::string& remark : in_force.remarks) std::cerr << remark << "\n";
    if (in_force.word) std::cout << in_force.word->node << " " << in_force.word->timeline << "\n";
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

void AddRestore(CLI::App& app) {
  auto* command =
      app.add_subcommand("restore", "Restores a backup set, by default the newest proven one, into a new database");
  const auto options = std::make_shared<RestoreOptions>();
  if (const char* script = std::getenv("MFI_CALLED_AS")) options->called = script;  // NOLINT(concurrency-mt-unsafe)
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
  command->footer(
      "Which server: PGHOST, PGPORT and PGUSER, as for psql. It needs a superuser and the right to read the set.\n"
      "It stops at the first error; exit code 0 when all that was restored is equal to what the set's manifest says.");
  command->callback([options] { Restore(*options, std::cout); });
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("mfi: what an operator of a hub's database needs", "mfi");
  app.set_version_flag("--version", "mfi " MFI_VERSION);
  app.require_subcommand(1);
  auto* node = app.add_subcommand("node", "What the containers of the two nodes ask");
  node->require_subcommand(1);
  AddSecret(*node);
  AddWord(*node);
  AddOwn(*node);
  AddRestore(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const mfi::core::Error& error) {
    std::cerr << "mfi: " << error.what() << "\n";
    if (!error.hint().empty()) std::cerr << "    " << error.hint() << "\n";
    return 1;
  } catch (const std::exception& error) {
    std::cerr << "mfi: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
