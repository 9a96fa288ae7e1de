#include "os/node/server_program.h"

#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <sstream>
#include <string_view>

#include "core/base/error.h"

namespace mfi::os {
namespace {

constexpr char kDebian[] = "/usr/lib/postgresql/17/bin";

std::string OwnDirectory() {
  std::array<char, PATH_MAX> self{};
  const ssize_t length = readlink("/proc/self/exe", self.data(), self.size());
  const std::string path(self.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
  return path.substr(0, path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
}

}  // namespace

std::string FindServerProgram(const std::string& name) {
  const char* path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): one thread
  std::istringstream list(OwnDirectory() + ":" + (path == nullptr ? "" : path) + ":" + kDebian);
  for (std::string directory; std::getline(list, directory, ':');) {
    std::string program = directory + "/" + name;
    if (!directory.empty() && access(program.c_str(), X_OK) == 0) return program;
  }
  throw core::Error(core::sqlstate::kUndefinedFile, "there is no program " + name + "; nothing was changed", {},
                    "Add the directory of the server's programs to PATH: pg_config --bindir shows it.");
}

std::vector<std::string> InEnglish(const std::vector<std::string>& environment) {
  constexpr std::string_view kAll = "LC_ALL=";
  std::vector<std::string> english = {"LC_MESSAGES=C"};
  std::string all;
  for (const std::string& variable : environment) {
    if (variable.starts_with(kAll)) all = variable.substr(kAll.size());
  }
  if (!all.empty()) english.push_back("LC_CTYPE=" + all);
  for (const std::string& variable : environment) {
    const std::string_view name = std::string_view(variable).substr(0, variable.find('='));
    if (name == "LC_ALL" || name == "LC_MESSAGES" || name == "LANGUAGE" || (name == "LC_CTYPE" && !all.empty()))
      continue;
    english.push_back(variable);
  }
  return english;
}

ChildResult RunServerProgram(const std::string& name, std::vector<std::string> arguments, Waiter& waiter,
                             const std::vector<std::string>& more) {
  std::vector<std::string> environment;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string entry = *variable;
    const std::string key = entry.substr(0, entry.find('=') + 1);
    const bool replaced =
        std::any_of(more.begin(), more.end(), [&](const std::string& other) { return other.starts_with(key); });
    if (key != "PGPASSWORD=" && !replaced) environment.push_back(entry);
  }
  environment.insert(environment.end(), more.begin(), more.end());
  return RunCommand({FindServerProgram(name), std::move(arguments), InEnglish(environment)}, waiter);
}

}  // namespace mfi::os
