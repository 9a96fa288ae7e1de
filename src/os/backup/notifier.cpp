#include "os/backup/notifier.h"

#include "core/base/error.h"
#include "core/base/names.h"

namespace mfi::os {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kAtOnce = 4;
constexpr std::size_t kMostWaiting = 100;
constexpr int kQuotedLines = 3;
constexpr std::size_t kQuotedBytes = 500;

constexpr std::size_t kShortestHidden = 4;
constexpr std::size_t kKeptOutput = 4096;  // nobody reads it

/// What the program said is told to everybody who sees the verdict; its arguments, such as the address and key of a
/// service, are not: mfi.notify_command is shown to superusers only.
std::string WithoutArguments(std::string words, const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    if (argument.size() < kShortestHidden) continue;
    for (auto at = words.find(argument); at != std::string::npos; at = words.find(argument, at + 3)) {
      words.replace(at, argument.size(), "...");
    }
  }
  return words;
}

std::string Outcome(const std::vector<std::string>& command, const ChildResult& result) {
  if (result.exit_code == 0) return {};
  std::string text = command[0] + " failed with exit code " + std::to_string(result.exit_code);
  const std::string words = core::LastLines(WithoutArguments(result.errors, {command.begin() + 1, command.end()}),
                                            kQuotedLines, kQuotedBytes);
  return words.empty() ? text : text + ": " + words;
}

}  // namespace

void Notifier::Send(std::vector<std::string> command, std::string message) {
  if (waiting_.size() == kMostWaiting) waiting_.pop_front();
  waiting_.push_back({std::move(command), std::move(message)});
}

std::vector<std::string> Notifier::Poll(std::chrono::seconds limit) {
  std::vector<std::string> outcomes;
  for (auto it = running_.begin(); it != running_.end();) {
    if (it->child->Ended()) {
      if (!it->stopped) outcomes.push_back(Outcome(it->command, it->child->result()));
      it = running_.erase(it);
      continue;
    }
    if (!it->stopped && steady_clock::now() - it->since >= limit) {
      outcomes.push_back(it->command[0] + " was stopped after " + std::to_string(limit.count()) + " s");
      it->child->End();
      it->stopped = true;
    }
    ++it;
  }
  while (!waiting_.empty() && running_.size() < kAtOnce) {
    const Message next = std::move(waiting_.front());
    waiting_.pop_front();
    const std::string& program = next.command.at(0);
    try {
      running_.push_back({next.command,
                          std::make_unique<Child>(Command{.program = program,
                                                          .arguments = {next.command.begin() + 1, next.command.end()},
                                                          .environment = CleanEnvironment(),
                                                          .kept_output = kKeptOutput,
                                                          .input = next.text}),
                          steady_clock::now()});
    } catch (const core::Error& error) {
      outcomes.emplace_back(error.what());
    }
  }
  return outcomes;
}

}  // namespace mfi::os
