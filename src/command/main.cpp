// mfi: the operator's program. It ends with 0 when all is done, 1 when something failed, 2 for wrong use; a subcommand
// whose answer is a verdict has exit codes of its own.

#include <algorithm>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "command/arguments.h"
#include "core/base/error.h"
#include "os/server/conninfo_secret.h"

namespace {

using mfi::command::Call;

/// The words of the command line after the program's name. Called as health.sh or /keycloak-sync.sh, it is that
/// subcommand.
std::vector<std::string> Words(int argc, char** argv, Call& call) {
  std::vector<std::string> words;
  const std::string path = argc > 0 ? argv[0] : "";
  std::string name = path.substr(path.rfind('/') + 1);
  constexpr std::string_view kSuffix = ".sh";
  if (name.size() > kSuffix.size() && name.substr(name.size() - kSuffix.size()) == kSuffix) {
    name.resize(name.size() - kSuffix.size());
    call.name = path;
    for (std::size_t dash; (dash = name.find('-')) != std::string::npos; name.erase(0, dash + 1)) {
      words.push_back(name.substr(0, dash));
    }
    words.push_back(name);
  }
  for (int i = 1; i < argc; ++i) words.emplace_back(argv[i]);
  return words;
}

/// What somebody has typed with a secret in it is not shown in a list of processes for longer than it takes to read it.
void HideSecrets(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    try {
      if (mfi::os::SecretIn(word.substr(word.starts_with("--") ? word.find('=') + 1 : 0)).empty()) continue;
    } catch (const mfi::core::Error&) {
      continue;  // it is no connection string
    }
    std::fill_n(argv[i], word.size(), 'x');
  }
}

int Run(CLI::App& app, std::vector<std::string> words) {
  try {
    std::reverse(words.begin(), words.end());  // as CLI11 takes them
    app.parse(words);
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

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("mfi: what an operator of a hub's database needs", "mfi");
  app.set_version_flag("--version", "mfi " MFI_VERSION);
  app.require_subcommand(1);
  Call call;
  const std::vector<std::string> words = Words(argc, argv, call);
  HideSecrets(argc, argv);
  mfi::command::AddHealth(app, call);
  mfi::command::AddBackupCommands(app, call);
  mfi::command::AddRestore(app, call);
  mfi::command::AddRecover(app, call);
  mfi::command::AddOffsite(app, call);
  mfi::command::AddUpgrade(app);
  mfi::command::AddNode(app, call);
  mfi::command::AddKeycloak(app, call);
  mfi::command::AddManual(app);
  const int code = Run(app, words);
  return code == 0 ? call.exit_code : code;
}
