#include "os/node/server_address.h"

#include <libpq-fe.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <string_view>
#include <system_error>

#include "core/base/error.h"
#include "core/base/names.h"
#include "os/base/file.h"

namespace mfi::os {
namespace {

using core::Sight;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr char kDefaultPort[] = "5432";

/// The elements of a list with commas; one empty one of an empty list, as libpq has it.
std::vector<std::string> Elements(const std::string& list) {
  std::vector<std::string> elements;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    elements.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return elements;
}

[[noreturn]] void Unknown(const std::string& why) { throw core::Error(core::sqlstate::kInvalidParameterValue, why); }

bool IsSocketDirectory(const std::string& host) { return !host.empty() && (host[0] == '/' || host[0] == '@'); }

/// What one attempt to connect came to.
core::Seen Attempt(const sockaddr* address, socklen_t length, const std::string& where, milliseconds limit,
                   Waiter& waiter) {
  const bool ipv6 = address->sa_family == AF_INET6;
  const auto of_errno = [&](int error) {
    return core::Seen{where, core::SightOfErrno(error, ipv6), std::generic_category().message(error)};
  };
  const UniqueFd fd(socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return of_errno(errno);
  if (connect(fd.get(), address, length) == 0) return {where, Sight::kTaken, "somebody takes connections"};
  if (errno != EINPROGRESS) return of_errno(errno);
  const auto deadline = steady_clock::now() + limit;
  for (auto now = steady_clock::now(); now < deadline; now = steady_clock::now()) {
    waiter.Wait(fd.get(), true, std::chrono::ceil<milliseconds>(deadline - now));
    pollfd asked{fd.get(), POLLOUT, 0};
    if (poll(&asked, 1, 0) <= 0) continue;
    int error = 0;
    socklen_t size = sizeof(error);
    if (getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    if (error != 0) return of_errno(error);
    return {where, Sight::kTaken, "somebody takes connections"};
  }
  return {where, Sight::kUnreachable,
          "no answer within " + std::to_string(std::chrono::ceil<std::chrono::seconds>(limit).count()) + " s"};
}

SeenAddress LookAtSocket(const ServerAddress& server, milliseconds limit, Waiter& waiter) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = server.host + "/.s.PGSQL." + server.port;
  if (path.size() >= sizeof(address.sun_path)) return {{path, Sight::kUnknown, "this is no path of a socket"}, server};
  std::copy(path.begin(), path.end(), std::begin(address.sun_path));
  socklen_t length = sizeof(address);
  if (path[0] == '@') {
    address.sun_path[0] = '\0';
    length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  }
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): as connect takes it
  return {Attempt(reinterpret_cast<const sockaddr*>(&address), length, path, limit, waiter), server};
}

}  // namespace

std::string ServerAddress::Keywords() const {
  return " host=" + core::ConninfoValue(host) + " hostaddr=" + core::ConninfoValue(hostaddr) +
         " port=" + core::ConninfoValue(port);
}

std::vector<ServerAddress> AddressesOf(const std::string& conninfo,
                                       const std::map<std::string, std::string>& environment) {
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(PQconninfoParse(conninfo.c_str(), nullptr),
                                                                             PQconninfoFree);
  if (!options) Unknown("the connection string cannot be read");
  const auto value = [&](std::string_view keyword, const char* variable) -> std::string {
    for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
      if (option->keyword == keyword && option->val != nullptr && *option->val != '\0') return option->val;
    }
    const auto found = environment.find(variable);
    return found == environment.end() ? "" : found->second;
  };
  if (!value("service", "PGSERVICE").empty()) Unknown("the connection string names a service, whose file may change");
  const std::string hosts = value("host", "PGHOST");
  const std::string addresses = value("hostaddr", "PGHOSTADDR");
  if (hosts.empty() && addresses.empty()) Unknown("the connection string names no host");
  const std::vector<std::string> host = Elements(hosts);
  const std::vector<std::string> address = Elements(addresses);
  const std::vector<std::string> port = Elements(value("port", "PGPORT"));
  const std::size_t number = addresses.empty() ? host.size() : address.size();
  const auto fits = [&](const auto& list, bool one) { return list.size() == number || (one && list.size() == 1); };
  if (!fits(port, true) || (!addresses.empty() && !hosts.empty() && !fits(host, false))) {
    Unknown("the connection string names other numbers of hosts and ports");
  }
  std::vector<ServerAddress> servers;
  for (std::size_t i = 0; i < number; ++i) {
    ServerAddress server{hosts.empty() ? "" : host[i], addresses.empty() ? "" : address[i],
                         port[port.size() == 1 ? 0 : i]};
    if (server.host.empty() && server.hostaddr.empty()) Unknown("the connection string names an empty host");
    if (server.port.empty()) server.port = kDefaultPort;
    servers.push_back(std::move(server));
  }
  return servers;
}

std::vector<SeenAddress> LookAt(const ServerAddress& server, milliseconds limit, Waiter& waiter) {
  if (server.hostaddr.empty() && IsSocketDirectory(server.host)) return {LookAtSocket(server, limit, waiter)};
  const std::string named = server.host.empty() ? server.hostaddr : server.host;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = server.hostaddr.empty() ? 0 : AI_NUMERICHOST;
  addrinfo* found = nullptr;
  const std::string& asked = server.hostaddr.empty() ? server.host : server.hostaddr;
  const int failure = getaddrinfo(asked.c_str(), server.port.c_str(), &hints, &found);
  if (failure != 0) return {{{named + " port " + server.port, Sight::kUnknown, gai_strerror(failure)}, server}};
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> list(found, freeaddrinfo);
  std::vector<SeenAddress> seen;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    getnameinfo(one->ai_addr, one->ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST);
    const std::string numeric = text.data();
    const std::string where = named + (numeric == named ? "" : " (" + numeric + ")") + " port " + server.port;
    seen.push_back({Attempt(one->ai_addr, one->ai_addrlen, where, limit, waiter), {server.host, numeric, server.port}});
  }
  return seen;
}

}  // namespace mfi::os
