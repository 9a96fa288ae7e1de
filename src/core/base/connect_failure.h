#pragma once

#include <string>
#include <string_view>

namespace mfi::core {

/// Why there is no session, in words, and the SQLSTATE that the server gave for it, which is the same in every
/// language. It is empty when none came.
struct ConnectFailure {
  std::string message;
  std::string sqlstate;
};

/// Of libpq's verbose text, which has both, and where in the server's source that was; libpq tells them in no other
/// way.
ConnectFailure ParseConnectFailure(std::string_view verbose);

/// Whether the words of libpq, in English, tell that nobody is there: no host was found, nothing listens, or no
/// connection came about in time. False for everything that is not known to mean this. Ask it only where no server has
/// taken the connection: a server's own words, which are in the message too, could be anything.
bool TellsOfNobody(std::string_view message);

}  // namespace mfi::core
