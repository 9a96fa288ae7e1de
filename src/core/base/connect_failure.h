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

}  // namespace mfi::core
