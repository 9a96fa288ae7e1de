#include "os/node/peer_node.h"

#include "core/base/error.h"
#include "core/replication/peer_answer.h"
#include "os/node/upstream.h"
#include "os/server/operator_session.h"

namespace mfi::os {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kAnswerLimit{30};
constexpr std::chrono::seconds kPause{2};

PeerRole RoleOf(const std::string& in_recovery) {
  if (in_recovery == "f") return PeerRole::kPrimary;
  return in_recovery == "t" ? PeerRole::kStandby : PeerRole::kUnknown;
}

}  // namespace

void Pause(Waiter& waiter) {
  const auto end = steady_clock::now() + kPause;
  for (auto now = steady_clock::now(); now < end; now = steady_clock::now()) {
    waiter.Wait(-1, false, std::chrono::ceil<std::chrono::milliseconds>(end - now));
  }
}

std::unique_ptr<Connection> PeerNode::Open() { return OpenForOperator(Superuser(), "mfi node", kAnswerLimit, waiter_); }

PeerRole PeerNode::Role() {
  words_.clear();
  try {
    const std::unique_ptr<Connection> peer = Open();
    peer->Send("SELECT pg_catalog.pg_is_in_recovery()");
    if (peer->Ready(steady_clock::now() + kAnswerLimit)) {
      const std::vector<Row> rows = peer->Take();
      return rows.size() == 1 && rows[0].size() == 1 ? RoleOf(rows[0][0].value_or("")) : PeerRole::kUnknown;
    }
    words_ = "no answer within " + std::to_string(kAnswerLimit.count()) + " s";
    return PeerRole::kUnknown;
  } catch (const core::Stop&) {
    throw;
  } catch (const core::Error& error) {
    words_ = error.what();
    return IsNobody(error) ? PeerRole::kNobody : PeerRole::kUnknown;
  }
}

std::optional<core::ControlData> PeerNode::Upstream() {
  words_.clear();
  try {
    return AskUpstream(place_.Upstream(), place_.node, waiter_);
  } catch (const core::Stop&) {
    throw;
  } catch (const core::Error& error) {
    words_ = error.what();
    return std::nullopt;
  }
}

std::string PeerNode::WhyWaiting() const {
  const std::string waiting = "waiting for " + place_.peer + ": ";
  if (!core::IsAuthenticationFailure(words_)) return waiting + words_;
  return waiting +
         "a server answers there, but cannot be shown to be the other node, or does not let this one in: " + words_ +
         "\n    Have both nodes the same DB_PASSWORD? If so, find out who answers under the name " + place_.peer + ".";
}

core::ControlData PeerNode::WaitForUpstream() {
  for (std::string told;;) {
    if (const auto upstream = Upstream()) return *upstream;
    if (words_ != told) log_.Say(WhyWaiting());
    told = words_;
    Pause(waiter_);
  }
}

}  // namespace mfi::os
