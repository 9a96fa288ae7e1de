#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "core/node/death_proof.h"
#include "os/base/waiter.h"

namespace mfi::os {

/// One server of a connection string: a host name or the directory of a socket, and the address that goes before it.
struct ServerAddress {
  std::string host;
  std::string hostaddr;
  std::string port;

  /// As keywords that follow a connection string and win.
  std::string Keywords() const;
};

/// The servers that a connection string names to a program with this environment. Throws Error, whose message does not
/// quote the string, when it cannot be read, or when what it names stands elsewhere: in a service file, or nowhere.
std::vector<ServerAddress> AddressesOf(const std::string& conninfo,
                                       const std::map<std::string, std::string>& environment);

/// Tries every address of one server, each for `limit`. Nothing is sent: whoever takes a connection is there. `where`
/// of what was seen is `host (address) port`, or the path of a socket; kUnknown for a name that has no address.
struct SeenAddress {
  core::Seen seen;
  ServerAddress address;
};
std::vector<SeenAddress> LookAt(const ServerAddress& server, std::chrono::milliseconds limit, Waiter& waiter);

}  // namespace mfi::os
