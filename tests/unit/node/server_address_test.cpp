// Where a connection string leads, and who is there.

#include "os/node/server_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "os/node/engine_names.h"
#include "os/node/neighbours.h"
#include "support.h"

namespace {

using namespace mfi::os;
using namespace mfi::test;
using mfi::core::Sight;
using std::chrono::milliseconds;

std::string Of(const std::string& conninfo, const std::map<std::string, std::string>& environment = {}) {
  std::string text;
  for (const ServerAddress& one : AddressesOf(conninfo, environment)) {
    text += (text.empty() ? "" : " ") + one.host + "/" + one.hostaddr + "/" + one.port;
  }
  return text;
}

TEST(ServerAddress, AreThoseOfTheConnectionString) {
  EXPECT_EQ(Of("host=a"), "a//5432");
  EXPECT_EQ(Of("host=a,b port=1,2"), "a//1 b//2");
  EXPECT_EQ(Of("host=a,b port=7"), "a//7 b//7");
  EXPECT_EQ(Of("host=a hostaddr=1.2.3.4"), "a/1.2.3.4/5432");
  EXPECT_EQ(Of("hostaddr=1.2.3.4,::1 port=,3"), "/1.2.3.4/5432 /::1/3");
  EXPECT_EQ(Of("postgresql://u:p@[::1]:44,b/x"), "::1//44 b//5432");
  EXPECT_EQ(Of("host=/run/x port=1"), "/run/x//1");
}

TEST(ServerAddress, WhatItDoesNotSayIsOfTheServersEnvironmentNotOurs) {
  setenv("PGPORT", "9999", 1);
  EXPECT_EQ(Of("host=a"), "a//5432");
  unsetenv("PGPORT");
  EXPECT_EQ(Of("host=a", {{"PGPORT", "77"}, {"PGHOST", "b"}}), "a//77");
  EXPECT_EQ(Of("user=x", {{"PGHOST", "b"}}), "b//5432");
  EXPECT_EQ(Of("host=a port=1", {{"PGHOSTADDR", "1.2.3.4"}}), "a/1.2.3.4/1");
}

TEST(ServerAddress, AreNotGuessed) {
  for (const char* conninfo : {"", "user=x", "host", "host=a,b port=1,2,3", "host=a,b hostaddr=1.2.3.4",
                               "service=x host=a", "host=a,", "no such=option", "postgresql://[::1"}) {
    EXPECT_NE(std::string(ErrorOf([&] { Of(conninfo); }).what()), "") << conninfo;
  }
  EXPECT_STREQ(ErrorOf([] { Of("host=a password='geheim' x"); }).what(), "the connection string cannot be read");
  EXPECT_NE(std::string(ErrorOf([] { Of("host=a", {{"PGSERVICE", "x"}}); }).what()), "");
}

class Listener {
 public:
  explicit Listener(int type) : fd_(socket(AF_INET, type, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    socklen_t size = sizeof(address);
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  ~Listener() { close(fd_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  int fd() const { return fd_; }
  std::uint16_t port() const { return port_; }

 private:
  int fd_;
  std::uint16_t port_ = 0;
};

TEST(ServerAddress, IsTriedWithoutAWord) {
  TestHost host;
  const Listener listener(SOCK_STREAM);
  const ServerAddress server{"127.0.0.1", "", std::to_string(listener.port())};
  const auto sight = [&](const ServerAddress& one) { return LookAt(one, milliseconds(500), host).at(0).seen.sight; };
  EXPECT_EQ(sight(server), Sight::kRefused) << "bound, not listening";
  listen(listener.fd(), 1);
  EXPECT_EQ(sight(server), Sight::kTaken) << "nobody accepts, as when it is frozen";
  EXPECT_EQ(LookAt(server, milliseconds(500), host).at(0).seen.where,
            "127.0.0.1 port " + std::to_string(listener.port()));
  sight(server);
  sight(server);
  EXPECT_NE(sight(server), Sight::kRefused) << "its queue is full: silence";
  EXPECT_EQ(sight({"nobody.invalid", "", "1"}), Sight::kUnknown);
  EXPECT_EQ(sight({"", "no.address", "1"}), Sight::kUnknown);
  TempDirectory directory;
  const ServerAddress socket_file{directory.path(), "", "1"};
  EXPECT_EQ(sight(socket_file), Sight::kUnreachable) << "no socket";
  EXPECT_EQ(sight({"/" + std::string(200, 'x'), "", "1"}), Sight::kUnknown);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = directory / ".s.PGSQL.1";
  std::copy(path.begin(), path.end(), std::begin(address.sun_path));
  const int left = socket(AF_UNIX, SOCK_STREAM, 0);
  EXPECT_EQ(bind(left, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_EQ(sight(socket_file), Sight::kRefused) << "left behind by a server that was killed";
  listen(left, 1);
  EXPECT_EQ(sight(socket_file), Sight::kTaken);
  close(left);
}

/// An engine that knows the names of `containers`, and for the rest is silent or says that there is none.
class Engine {
 public:
  Engine(std::map<std::string, std::string> containers, bool silent)
      : containers_(std::move(containers)), silent_(silent), thread_([this] { Serve(); }) {}
  ~Engine() {
    const sockaddr_in self = Address();
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    sendto(fd, "end", 3, 0, reinterpret_cast<const sockaddr*>(&self), sizeof(self));
    thread_.join();
    close(fd);
  }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  NameServer server() const { return {"127.0.0.1", listener_.port()}; }

 private:
  sockaddr_in Address() const {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(listener_.port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }
  void Serve() {
    std::string asked(512, '\0');
    sockaddr_in from{};
    for (;;) {
      socklen_t size = sizeof(from);
      const ssize_t length =
          recvfrom(listener_.fd(), asked.data(), asked.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
      if (length < 12) return;
      const std::string question = asked.substr(0, static_cast<std::size_t>(length));
      const std::string name = question.substr(13, static_cast<unsigned char>(question[12]));
      const auto found = containers_.find(name);
      if (found == containers_.end() && silent_) continue;
      std::string answer = question;
      answer[2] = '\x81';
      answer[3] = found == containers_.end() ? '\x83' : '\x80';
      if (found != containers_.end() && question[question.size() - 3] == 1) {
        answer[7] = 1;
        answer += std::string("\xC0\x0C\0\1\0\1\0\0\2\x58\0\4", 12) + found->second;
      }
      sendto(listener_.fd(), answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
    }
  }

  std::map<std::string, std::string> containers_;
  bool silent_;
  Listener listener_{SOCK_DGRAM};
  std::thread thread_;
};

TEST(EngineNames, ANameIsGoneWhereTheEngineKnowsThisContainer) {
  TestHost host;
  const std::string here("\x7F\0\0\1", 4);
  const std::string there("\x0A\1\2\3", 4);
  const auto gone = [&](const std::map<std::string, std::string>& names, bool silent = false) {
    const Engine engine(names, silent);
    return EngineHasNo("db-primary", "db-replica", engine.server(), host);
  };
  EXPECT_TRUE(gone({{"db-replica", here}}));
  EXPECT_FALSE(gone({{"db-replica", here}, {"db-primary", there}})) << "it runs";
  EXPECT_FALSE(gone({{"db-replica", there}})) << "a name server that knows another one by that name";
  EXPECT_FALSE(gone({})) << "a name server that knows neither";
  EXPECT_TRUE(gone({{"db-replica", here}}, true)) << "it asks others, who are silent";
  EXPECT_FALSE(EngineHasNo("db-primary", "db-replica", {"127.0.0.1", 1}, host)) << "no name server";
  EXPECT_FALSE(EngineHasNo("db-primary", "", {"127.0.0.1", 1}, host));
  EXPECT_FALSE(EngineHasNo("db-primary", "db-replica", {}, host));
  NameServerOfThisMachine();
}

TEST(Neighbours, OfNoClusterThereIsNone) { EXPECT_EQ(PrimariesHere("1", "/").size(), 0U); }

}  // namespace
