#include "os/server/operator_session.h"

namespace mfi::os {
namespace {

constexpr std::chrono::seconds kConnectLimit{5};
constexpr int kNewestSettings = 17;  // the first version with all settings that a Session makes

std::unique_ptr<Connection> Open(const std::string& where, const std::string& application_name, int server_major,
                                 std::chrono::seconds limit, Waiter& waiter) {
  const Session session(SessionKind::kOperator, where, application_name, server_major, {}, limit);
  return std::make_unique<Connection>(session, waiter, kConnectLimit);
}

}  // namespace

std::unique_ptr<Connection> OpenForOperator(const std::string& where, const std::string& application_name,
                                            std::chrono::seconds limit, Waiter& waiter) {
  std::unique_ptr<Connection> connection;
  try {
    connection = Open(where, application_name, kNewestSettings, limit, waiter);
  } catch (const ConnectError& refused) {
    // A server of an earlier version refuses a setting that it does not know yet.
    if (refused.reason() != core::sqlstate::kUndefinedObject) throw;
    connection = Open(where, application_name, 0, limit, waiter);
  }
  return connection;
}

}  // namespace mfi::os
