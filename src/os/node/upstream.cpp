#include "os/node/upstream.h"

#include "core/base/connect_failure.h"
#include "os/server/standby_source.h"

namespace mfi::os {
namespace {

constexpr std::chrono::seconds kConnectLimit{5};
constexpr std::chrono::seconds kAnswerLimit{30};

}  // namespace

core::ControlData AskUpstream(const std::string& conninfo, const std::string& application_name, Waiter& waiter) {
  const Session session(SessionKind::kReplication, ConninfoKeywords(conninfo) + " dbname=replication replication=true",
                        application_name, 0);
  Connection connection(session, waiter, kConnectLimit);
  const std::vector<Row> rows = connection.Command("IDENTIFY_SYSTEM", kAnswerLimit);
  if (rows.size() == 1 && rows[0].size() >= 2) {
    const std::string text = "Database system identifier: " + rows[0][0].value_or("") +
                             "\nLatest checkpoint's TimeLineID: " + rows[0][1].value_or("") + "\n";
    if (auto said = core::ParseControlData(text)) return *said;
  }
  throw core::Error(core::sqlstate::kConnectionFailure, "the server did not say which cluster and timeline it has");
}

bool IsNobody(const core::Error& error) {
  const auto* unconnected = dynamic_cast<const ConnectError*>(&error);
  return unconnected != nullptr && !unconnected->taken() && core::TellsOfNobody(unconnected->what());
}

}  // namespace mfi::os
