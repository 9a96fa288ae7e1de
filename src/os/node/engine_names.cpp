#include "os/node/engine_names.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <random>
#include <vector>

#include "core/base/error.h"
#include "core/node/name_question.h"
#include "os/base/file.h"

namespace mfi::os {
namespace {

using core::AddressKind;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using Addresses = std::vector<std::string>;

constexpr char kResolvConf[] = "/etc/resolv.conf";
constexpr milliseconds kLimit{3000};
constexpr milliseconds kAskAgain{1000};  // a datagram can be lost
constexpr std::size_t kLongestAnswer = 4096;

/// Nothing when no answer comes.
std::optional<Addresses> Ask(const std::string& name, AddressKind kind, const NameServer& server, Waiter& waiter) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(server.port);
  const auto question = core::NameQuestion(static_cast<std::uint16_t>(std::random_device()()), name, kind);
  const UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!question || !fd.valid() || inet_pton(AF_INET, server.address.c_str(), &address.sin_addr) != 1 ||
      // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): as connect takes it
      connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return std::nullopt;
  }
  const auto end = steady_clock::now() + kLimit;
  auto ask_at = steady_clock::now();
  std::string answer(kLongestAnswer, '\0');
  for (auto now = ask_at; now < end; now = steady_clock::now()) {
    if (now >= ask_at) {
      if (send(fd.get(), question->data(), question->size(), 0) < 0) return std::nullopt;
      ask_at = now + kAskAgain;
    }
    waiter.Wait(fd.get(), false, std::chrono::ceil<milliseconds>(std::min(ask_at, end) - now));
    const ssize_t length = recv(fd.get(), answer.data(), answer.size(), 0);
    if (length <= 0) continue;
    if (auto found =
            core::AddressesInAnswer(std::string_view(answer).substr(0, static_cast<std::size_t>(length)), *question)) {
      return found;
    }
  }
  return std::nullopt;
}

bool IsOwn(const std::string& wanted) {
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return false;
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> list(first, freeifaddrs);
  for (const ifaddrs* one = first; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET) continue;
    sockaddr_in address{};
    std::memcpy(&address, one->ifa_addr, sizeof(address));
    std::string bytes(sizeof(address.sin_addr), '\0');
    std::memcpy(bytes.data(), &address.sin_addr, bytes.size());
    if (bytes == wanted) return true;
  }
  return false;
}

bool KnowsThisContainer(const std::string& own, const NameServer& server, Waiter& waiter) {
  const auto addresses = Ask(own, AddressKind::kIpv4, server, waiter);
  return addresses && std::any_of(addresses->begin(), addresses->end(), IsOwn);
}

/// Who is silent on one kind does not know the name: what the engine knows it answers at once.
bool Has(const std::string& name, const NameServer& server, Waiter& waiter) {
  for (const AddressKind kind : {AddressKind::kIpv4, AddressKind::kIpv6}) {
    const auto addresses = Ask(name, kind, server, waiter);
    if (!addresses) return false;
    if (!addresses->empty()) return true;
  }
  return false;
}

}  // namespace

NameServer NameServerOfThisMachine() {
  try {
    return {core::FirstNameServer(ReadFile(kResolvConf))};
  } catch (const core::Error&) {
    return {};
  }
}

bool EngineHasNo(const std::string& name, const std::string& own, const NameServer& server, Waiter& waiter) {
  return !own.empty() && own != name && KnowsThisContainer(own, server, waiter) && !Has(name, server, waiter) &&
         KnowsThisContainer(own, server, waiter);
}

}  // namespace mfi::os
