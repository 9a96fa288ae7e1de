#include "command/backup/backup_actions.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <ostream>

#include "command/base/client.h"
#include "command/base/command_host.h"
#include "core/base/names.h"

namespace mfi::command {
namespace {

constexpr std::chrono::seconds kLimit{60};
constexpr std::chrono::seconds kWithoutLimit{0};

}  // namespace

int VerifyBackup(const std::string& id, bool json, std::ostream& out) {
  PrepareEnvironment();
  CommandHost host;
  const std::string result =
      Client(host, "verify", kWithoutLimit).Value("SELECT mfi_backup_verify(" + core::SqlLiteral(id) + ")");
  if (json) {
    const nlohmann::ordered_json answer{{"id", id}, {"result", result}};
    out << answer.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << std::endl;
  } else {
    out << result << std::endl;
  }
  if (result == "ok" || result.rfind("ok (", 0) == 0) return 0;
  return result.rfind("not verified", 0) == 0 ? 2 : 1;
}

void ActOnBackup(const std::string& verb, const std::vector<std::string>& arguments, const std::string& done,
                 std::ostream& out) {
  PrepareEnvironment();
  CommandHost host;
  std::string list;
  for (const std::string& argument : arguments) list += (list.empty() ? "" : ", ") + core::SqlLiteral(argument);
  Client(host, verb, kLimit).Value("SELECT mfi_backup_" + verb + "(" + list + ")");
  out << done << std::endl;
}

}  // namespace mfi::command
