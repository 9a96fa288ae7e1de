#include "command/node/old_primary.h"

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "os/node/engine_names.h"
#include "os/node/neighbours.h"
#include "os/node/server_address.h"
#include "os/node/upstream.h"
#include "os/server/connection.h"
#include "os/server/standby_source.h"

namespace mfi::command {
namespace {

using core::Seen;
using core::Sight;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr char kName[] = "mfi promote";
constexpr milliseconds kAddressLimit{2000};
constexpr std::chrono::seconds kAnswerLimit{5};
constexpr std::size_t kMostWords = 500;

std::string Told(const core::Error& error) { return core::PlainWords(error.what(), kMostWords); }

/// Who took a connection, by a login as a standby makes it.
std::string WordsOf(const std::string& conninfo, os::Waiter& waiter) {
  try {
    return "a server lets standbys stream, on timeline " +
           std::to_string(os::AskUpstream(conninfo, kName, waiter).timeline);
  } catch (const core::Stop&) {
    throw;
  } catch (const os::ConnectError& error) {
    const std::string meaning(core::MeaningOfRefusal(error.reason()));
    return "somebody answers" + (meaning.empty() ? "" : ", " + meaning) + ": " + Told(error);
  } catch (const core::Error& error) {
    return "somebody answers: " + Told(error);
  }
}

/// Whether it is the peer, shows that, and is a standby: this one, or another.
bool IsStandby(const std::string& conninfo, os::Waiter& waiter) {
  try {
    const os::Session session(os::SessionKind::kProbe, "dbname=postgres " + os::PeerKeywords(conninfo), kName, 0, {},
                              kAnswerLimit);
    os::Connection connection(session, waiter, kAnswerLimit);
    connection.Send("SELECT pg_catalog.pg_is_in_recovery()");
    if (!connection.Ready(steady_clock::now() + kAnswerLimit)) return false;
    const std::vector<os::Row> rows = connection.Take();
    return rows.size() == 1 && rows[0].size() == 1 && rows[0][0] == "t";
  } catch (const core::Stop&) {
    throw;
  } catch (const core::Error&) {
    return false;
  }
}

class Observer {
 public:
  Observer(const OldPrimary& primary, os::Waiter& waiter) : primary_(primary), waiter_(waiter) {}

  std::vector<Seen> Look() {
    seen_.clear();
    places_.clear();
    LookAtNeighbours();
    LookAtStream();
    LookAtPeer();
    return std::move(seen_);
  }

 private:
  /// A server in single-user mode listens nowhere, and will come back as the primary.
  void LookAtNeighbours() {
    if (primary_.system_identifier.empty()) return;
    for (const std::string& data : os::PrimariesHere(primary_.system_identifier, primary_.own_data)) {
      seen_.push_back({core::PlainWords(data, kMostWords), Sight::kTaken,
                       "a server runs on this machine on the same data, and is no standby"});
    }
  }

  void LookAtStream() {
    try {
      if (primary_.stream.empty()) throw core::Error(core::sqlstate::kInvalidParameterValue, "it is empty");
      for (const os::ServerAddress& server : os::AddressesOf(primary_.stream, primary_.environment)) {
        for (os::SeenAddress& one : os::LookAt(server, kAddressLimit, waiter_)) {
          places_.insert(one.seen.where);
          if (one.seen.sight == Sight::kTaken) {
            one.seen.words = WordsOf(primary_.stream + one.address.Keywords(), waiter_);
          } else if (IsLost(one.seen.sight) && EngineForgot(server)) {
            one.seen.sight = Sight::kNameGone;
            one.seen.words = "no container of this name runs";
          }
          seen_.push_back(std::move(one.seen));
        }
      }
    } catch (const core::Stop&) {
      throw;
    } catch (const core::Error& error) {
      seen_.push_back({"primary_conninfo", Sight::kUnknown, Told(error)});
    }
  }

  /// It may be the same node by another way, the primary of this one's upstream, or a standby. That nobody is there
  /// proves nothing of the upstream.
  void LookAtPeer() {
    if (primary_.peer.empty()) return;
    try {
      for (const os::ServerAddress& server : os::AddressesOf(primary_.peer, primary_.environment)) {
        for (os::SeenAddress& one : os::LookAt(server, kAddressLimit, waiter_)) {
          const std::string there = primary_.peer + one.address.Keywords();
          if (one.seen.sight != Sight::kTaken || !places_.insert(one.seen.where).second || IsStandby(there, waiter_)) {
            continue;
          }
          one.seen.where += " (mfi.peer_conninfo)";
          one.seen.words = WordsOf(there, waiter_);
          seen_.push_back(std::move(one.seen));
        }
      }
    } catch (const core::Stop&) {
      throw;
    } catch (const core::Error&) {
      return;
    }
  }

  /// A container that ends while it is looked at has an address, and nobody there to refuse.
  static bool IsLost(Sight sight) { return sight == Sight::kUnknown || sight == Sight::kUnreachable; }

  bool EngineForgot(const os::ServerAddress& address) {
    return !primary_.own_name.empty() && address.hostaddr.empty() &&
           os::EngineHasNo(address.host, primary_.own_name, os::NameServerOfThisMachine(), waiter_);
  }

  const OldPrimary& primary_;
  os::Waiter& waiter_;
  std::vector<Seen> seen_;
  std::set<std::string> places_;
};

}  // namespace

core::DeathVerdict LookWhetherDead(const OldPrimary& primary, const Heard& heard, milliseconds within,
                                   os::Waiter& waiter) {
  std::vector<core::Look> looks;
  const auto begun = steady_clock::now();
  for (int i = 0; i < core::kLooks; ++i) {
    const auto next = begun + within * i / (core::kLooks - 1);
    for (auto now = steady_clock::now(); now < next; now = steady_clock::now()) {
      waiter.Wait(-1, false, std::chrono::ceil<milliseconds>(next - now));
    }
    core::Look look;
    look.heard = heard();
    if (look.heard.empty()) look.seen = Observer(primary, waiter).Look();
    looks.push_back(std::move(look));
    if (!core::MayBeDead(looks.back())) break;
  }
  // What began to send after the last look was begun.
  if (core::Look& last = looks.back(); last.heard.empty()) last.heard = heard();
  return core::JudgeDeath(looks);
}

std::string WayOut(const core::DeathVerdict& verdict, const std::string& stop, const std::string& command) {
  std::string steps;
  for (const std::string& seen : verdict.seen) steps += seen + "\n";
  return steps + stop + "\nWhen you know that it is down and will not come back as a primary: " + command +
         " --primary-is-down";
}

}  // namespace mfi::command
