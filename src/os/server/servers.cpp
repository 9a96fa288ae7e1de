#include "os/server/servers.h"

#include <libpq-fe.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "core/base/names.h"

namespace mfi::os {
namespace {

using Options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;
using std::chrono::milliseconds;

constexpr std::chrono::seconds kLeastTimeout{2};  // libpq's

std::string ValueOf(const Options& options, std::string_view keyword) {
  for (const PQconninfoOption* option = options.get(); option != nullptr && option->keyword != nullptr; ++option) {
    if (option->keyword == keyword && option->val != nullptr) return option->val;
  }
  return {};
}

/// The elements of a list with commas; none of an empty one.
std::vector<std::string> Elements(const std::string& list) {
  std::vector<std::string> elements;
  for (std::size_t begin = 0; !list.empty() && begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    elements.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return elements;
}

}  // namespace

Servers::Servers(const std::string& conninfo) {
  const Options named(PQconninfoParse(conninfo.c_str(), nullptr), PQconninfoFree);
  const Options defaults(PQconndefaults(), PQconninfoFree);
  const auto value = [&](std::string_view keyword) {
    const std::string of_string = ValueOf(named, keyword);
    return of_string.empty() ? ValueOf(defaults, keyword) : of_string;
  };
  timeout_ = std::chrono::seconds(std::max(0L, std::strtol(value("connect_timeout").c_str(), nullptr, 10)));
  // What a service file of the string's own says is known only to libpq.
  if (!ValueOf(named, "service").empty()) return;
  const std::vector<std::string> hosts = Elements(value("host"));
  const std::vector<std::string> addresses = Elements(value("hostaddr"));
  const std::vector<std::string> ports = Elements(value("port"));
  const std::size_t number = std::max(hosts.size(), addresses.size());
  const auto fits = [&](const auto& list) { return list.size() <= 1 || list.size() == number; };
  // What does not fit together is libpq's to refuse.
  if (number <= 1 || !fits(hosts) || !fits(addresses) || !fits(ports) || hosts.size() == 1 || addresses.size() == 1) {
    return;
  }
  const auto of = [](const auto& list, std::size_t i) {
    return list.empty() ? std::string() : list[list.size() == 1 ? 0 : i];
  };
  for (std::size_t i = 0; i < number; ++i) servers_.push_back({of(hosts, i), of(addresses, i), of(ports, i)});
  with_hosts_ = !hosts.empty();
  with_addresses_ = !addresses.empty();
}

std::string Servers::Keywords() const {
  if (servers_.empty()) return {};
  std::string hosts;
  std::string addresses;
  std::string ports;
  for (const Server& server : servers_) {
    const std::string comma = &server == &servers_.front() ? "" : ",";
    hosts += comma + server.host;
    addresses += comma + server.address;
    ports += comma + server.port;
  }
  return (with_hosts_ ? " host=" + core::ConninfoValue(hosts) : "") +
         (with_addresses_ ? " hostaddr=" + core::ConninfoValue(addresses) : "") + " port=" + core::ConninfoValue(ports);
}

milliseconds Servers::LimitOfEach(milliseconds limit) const {
  milliseconds each = limit / std::max<std::size_t>(1, servers_.size());
  if (timeout_.count() > 0) each = std::min<milliseconds>(each, std::max(timeout_, kLeastTimeout));
  return each;
}

void Servers::Leave(const std::string& host, const std::string& port) {
  auto silent = std::find_if(servers_.begin(), servers_.end(), [&](const Server& server) {
    return (server.host == host || (server.host.empty() && server.address == host)) &&
           (server.port == port || server.port.empty());
  });
  if (silent == servers_.end()) silent = servers_.begin();
  if (silent != servers_.end()) servers_.erase(silent);
}

}  // namespace mfi::os
