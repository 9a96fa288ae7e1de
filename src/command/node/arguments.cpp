#include "command/arguments.h"

#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "command/backup/follow_backups.h"
#include "command/node/node_own.h"
#include "command/node/node_word.h"
#include "command/node/secret.h"
#include "core/base/error.h"
#include "os/base/file.h"

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

std::string KeyOfFile(const std::string& path) {
  constexpr std::int64_t kLimit = 200;
  std::string key = os::ReadFile(path, kLimit);
  if (!key.empty() && key.back() == '\n') key.pop_back();
  if (key.size() != 64 || key.find_first_not_of("0123456789abcdef") != std::string::npos) {
    throw core::Error(core::sqlstate::kDataCorrupted, "\"" + path + "\" holds no key", {},
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

void AddFollow(CLI::App& node) {
  auto* command = node.add_subcommand(
      "follow", "Asks for a backup when none is fresh, then tells each backup's changes of state, until it is stopped");
  command->callback([] { FollowBackups(std::cerr); });
}

}  // namespace

void AddNode(CLI::App& app, Call&) {
  auto* node = app.add_subcommand("node", "What the containers of the two nodes ask");
  node->require_subcommand(1);
  AddSecret(*node);
  AddWord(*node);
  AddOwn(*node);
  AddFollow(*node);
}

}  // namespace mfi::command
