#include "command/health.h"

#include <chrono>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "command/arguments.h"
#include "command/base/client.h"
#include "command/base/command_host.h"
#include "core/base/error.h"
#include "core/base/names.h"

namespace mfi::command {
namespace {

// Whoever asks again and again, as Nagios and Docker do, gives up after ten seconds.
constexpr std::chrono::seconds kLimit{8};

struct Answer {
  std::string verdict;
  std::vector<std::string> reasons;
  std::vector<std::string> next_steps;
};

Answer Ask(const std::string& scope) {
  PrepareEnvironment();
  CommandHost host;
  Client client(host, "health", kLimit);
  Answer answer;
  // A line each: the verdict, then the reasons and the next steps in their order.
  for (const os::Row& row :
       client.Ask("WITH health AS MATERIALIZED (SELECT * FROM mfi_health(" + core::SqlLiteral(scope) +
                  ")) SELECT 1, 0, verdict FROM health UNION ALL "
                  "SELECT 2, n, reason FROM health, unnest(reasons) WITH ORDINALITY AS r (reason, n) UNION ALL "
                  "SELECT 3, n, step FROM health, unnest(next_steps) WITH ORDINALITY AS s (step, n) ORDER BY 1, 2")) {
    const std::string text = row.at(2).value_or("");
    if (row[0] == "1") answer.verdict = text;
    if (row[0] == "2") answer.reasons.push_back(text);
    if (row[0] == "3") answer.next_steps.push_back(text);
  }
  return answer;
}

int ExitCode(const std::string& verdict) {
  if (verdict == "ok") return 0;
  if (verdict == "warning") return 1;
  return verdict == "critical" ? 2 : 3;
}

void Tell(const Answer& answer, std::ostream& out) {
  out << answer.verdict << "\n";
  for (const std::string& reason : answer.reasons) out << "  " << reason << "\n";
  if (!answer.next_steps.empty()) out << "To do:\n";
  for (const std::string& step : answer.next_steps) out << "  " << step << "\n";
}

}  // namespace

int Health(const std::string& scope, bool json, std::ostream& out) {
  Answer answer;
  std::string title;
  try {
    answer = Ask(scope);
    title = answer.verdict;
  } catch (const core::Error& error) {
    answer = {"critical", {error.what()}, {}};
    if (!error.hint().empty()) answer.next_steps.push_back(error.hint());
    title = "critical: no verdict (scope " + scope + ")";
  }
  if (json) {
    const nlohmann::ordered_json object{
        {"scope", scope}, {"verdict", answer.verdict}, {"reasons", answer.reasons}, {"next_steps", answer.next_steps}};
    out << object.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  } else {
    Tell({title, answer.reasons, answer.next_steps}, out);
  }
  return ExitCode(answer.verdict);
}

void AddHealth(CLI::App& app, Call& call) {
  struct Options {
    std::string scope = "all";
    bool json = false;
  };
  auto* command = app.add_subcommand("health", "The verdict on this system, its reasons and what to do");
  const auto options = std::make_shared<Options>();
  command->add_option("scope", options->scope, "node, replication, backup, recovery or all")->capture_default_str();
  command->add_flag("--json", options->json, "answers in JSON");
  command->footer(
      "Exit code as Nagios has it: 0 ok, 1 warning, 2 critical (also when there is no verdict within 8 seconds), 3 "
      "unknown.");
  command->callback([options, &call] { call.exit_code = Health(options->scope, options->json, std::cout); });
}

}  // namespace mfi::command
