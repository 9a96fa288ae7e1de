#pragma once

#include <string>
#include <string_view>
#include <vector>

// Whether a primary is known to be dead, so that its standby may become one. A failed login is no death: only machines
// that answer, and say that nobody listens, prove it.
namespace mfi::core {

/// What became of one attempt to reach an address of the old primary.
enum class Sight {
  kRefused,      // nobody listens there
  kNameGone,     // the engine of the containers answers, and has none of this name any more
  kNoWay,        // this machine has no address of that kind: nothing ever came from there
  kTaken,        // somebody took the connection, whatever came of it
  kUnreachable,  // no answer, or one of the network: silence, a firewall, no route, a socket that is not there
  kUnknown,      // it is not known where the primary is: a name or a connection string that tells no address
};

struct Seen {
  std::string where;
  Sight sight = Sight::kUnknown;
  std::string words = {};  // what came back, fit for a log
};

/// By the errno of connect(2), or of socket(2).
Sight SightOfErrno(int error, bool ipv6);

/// What a server that took the connection says of itself by the SQLSTATE of its refusal; empty for one that is not
/// known.
std::string_view MeaningOfRefusal(std::string_view sqlstate);

/// One look at all addresses, and at what the standby itself hears.
struct Look {
  std::vector<Seen> seen;
  std::string heard = {};  // how it is known that the primary still sends; empty: it does not
};

/// So many looks, over some seconds: a primary that restarts listens again.
inline constexpr int kLooks = 3;

struct DeathVerdict {
  bool dead = false;
  std::string why = {};                // it is not known to be
  std::vector<std::string> seen = {};  // of the look that told: a line for each address
};

DeathVerdict JudgeDeath(const std::vector<Look>& looks);

/// Whether a further look could still prove a death.
bool MayBeDead(const Look& look);

}  // namespace mfi::core
