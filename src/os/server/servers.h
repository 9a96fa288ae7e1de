#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace mfi::os {

/// The servers that a connection string, and libpq's environment where it is silent, name. Asked to connect without
/// blocking, libpq goes on to the next one when one refuses, and waits for a silent one without end: whoever connects
/// leaves that one out.
class Servers {
 public:
  explicit Servers(const std::string& conninfo);

  /// What follows the connection string, so that it names those that are left; empty when that is none or one.
  std::string Keywords() const;

  std::size_t size() const { return servers_.size(); }

  /// How long each may be waited for when all may be for `limit`.
  std::chrono::milliseconds LimitOfEach(std::chrono::milliseconds limit) const;

  /// Leaves out the one with this host and port, as libpq names them.
  void Leave(const std::string& host, const std::string& port);

 private:
  struct Server {
    std::string host;
    std::string address;
    std::string port;
  };

  std::vector<Server> servers_;
  bool with_hosts_ = false;
  bool with_addresses_ = false;
  std::chrono::seconds timeout_{0};  // connect_timeout; 0: none
};

}  // namespace mfi::os
