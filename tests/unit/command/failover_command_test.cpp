// What `mfi promote`, `mfi rejoin` and the entrypoints' commands refuse, and how they say it.

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <sstream>

#include "command/node/operator_word.h"
#include "command/node/promote.h"
#include "command/node/promote_node.h"
#include "command/node/rejoin.h"
#include "command/node/rejoin_node.h"
#include "command/node/start_node.h"
#include "os/base/file.h"
#include "os/node/node_data.h"
#include "os/node/peer_node.h"
#include "os/node/upstream.h"
#include "os/server/operator_session.h"
#include "real_programs.h"

namespace {

using namespace mfi::command;
using namespace mfi::test;
namespace core = mfi::core;
namespace os = mfi::os;

/// `code: what was said`, without the times.
std::string Said(const std::function<int(std::ostream& out)>& run) {
  std::ostringstream out;
  const int code = run(out);
  std::istringstream lines(out.str());
  std::string said = std::to_string(code) + ":";
  for (std::string line; std::getline(lines, line);) {
    const auto at = line.find(" UTC mfi: ");
    said += " " + (at == 19 ? line.substr(at + 10) : line);
  }
  return said;
}

/// A node whose other node is where the socket of `peer` is.
class AtANode : public RealPrograms {
 protected:
  AtANode() {
    for (const char* path :
         {"/var", "/var/lib", "/var/lib/postgresql", "/var/lib/postgresql/data", "/run", "/run/mfi", "/backups"}) {
      os::MakeDirectory(root_ + path, 0700);
    }
    place_ = core::PlaceOfNode(root_ + "/", "db-replica", false);
    place_.peer = temporary_ / "bin";  // no socket there
    Write(place_.WordKey(), std::string(64, 'a') + "\n");
  }
  ~AtANode() override {
    unsetenv("PGHOST");
    unsetenv("PGUSER");
  }
  std::string SocketDirectory() { return Sql("SHOW unix_socket_directories"); }
  void UseServer() {
    setenv("PGHOST", SocketDirectory().c_str(), 1);
    setenv("PGUSER", job_.superuser.c_str(), 1);
    setenv("PGDATABASE", "postgres", 1);
  }
  void BeANode() const { Write(place_.NodeConf(), ""); }
  void HaveData() const { os::MakeDirectory(place_.data, 0700); }

  TempDirectory container_;
  std::string root_ = container_.path();
  core::NodePlace place_;
};

/// Root, for the time of this object, acts as somebody who has no rights but over what is below `directory`.
class AsNobody {
 public:
  explicit AsNobody(const std::string& directory) {
    if (geteuid() != 0) return;
    constexpr uid_t kNobody = 65534;
    EXPECT_EQ(chown(directory.c_str(), kNobody, kNobody), 0);
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
      EXPECT_EQ(lchown(entry.path().c_str(), kNobody, kNobody), 0);
    }
    EXPECT_EQ(seteuid(kNobody), 0);
  }
  ~AsNobody() {
    if (getuid() == 0) EXPECT_EQ(seteuid(0), 0);
  }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;
};

TEST_F(AtANode, PromoteRefusesWithoutAStandby) {
  setenv("PGHOST", place_.peer.c_str(), 1);
  const std::string nobody = Said([](std::ostream& out) { return Promote({}, out); });
  EXPECT_NE(
      nobody.find("this node's server cannot be asked; nothing was changed     Start it, or set PGHOST and PGPORT."),
      std::string::npos)
      << nobody;
  EXPECT_EQ(nobody[0], '1');
  UseServer();
  EXPECT_EQ(Said([](std::ostream& out) { return Promote({}, out); }),
            "1: this node is a primary already; nothing was changed     Ask: psql -c 'SELECT * FROM "
            "mfi_replication_health'");
}

TEST_F(AtANode, AnOperatorsQuestionHasItsLimit) {
  UseServer();
  EXPECT_EQ(os::OpenForOperator("", "x", std::chrono::seconds(8), host_)->Value("SHOW statement_timeout"), "8s");
  EXPECT_EQ(os::OpenForOperator("", "x", std::chrono::seconds(0), host_)->Value("SHOW statement_timeout"), "0");
}

TEST_F(AtANode, RejoinRefusesBeforeItChangesAnything) {
  const auto rejoin = [&](const std::string& data) {
    return Said([&](std::ostream& out) { return Rejoin({data, "host=" + place_.peer}, out); });
  };
  if (geteuid() == 0) {
    EXPECT_EQ(rejoin(place_.run),
              "1: not as root; nothing was changed     Run it as the user of the server: runuser -u postgres -- mfi "
              "rejoin ...");
  }
  const AsNobody nobody(root_);
  EXPECT_EQ(rejoin(place_.run),
            "1: " + place_.run + " is no data directory; nothing was changed     Give that of the old primary.");
  os::MakeDirectory(place_.run + ".clone", 0700);
  EXPECT_EQ(rejoin(place_.run), "1: " + place_.run +
                                    ".clone is in the way; nothing was changed     It is what an interrupted clone "
                                    "left: remove it.");
  EXPECT_EQ(Said([&](std::ostream& out) {
              return Rejoin({place_.run, "no such=option"}, out);
            }),
            "1: the connection string cannot be read");
}

TEST_F(AtANode, OnlyANodeIsPromotedOrRejoins) {
  EXPECT_EQ(
      Said([&](std::ostream& out) { return PromoteNode(place_, {true}, out); }),
      "1: this container is no node; nothing was changed     Run it in db-replica (or db-primary): docker compose "
      "exec db-replica /promote.sh");
  EXPECT_EQ(Said([&](std::ostream& out) { return RejoinNode(place_, out); }),
            "1: this container is no node; nothing was changed     Run it in the old primary: docker compose exec "
            "db-primary /rejoin.sh");
  BeANode();
  HaveData();
  setenv("PGHOST", place_.peer.c_str(), 1);
  const std::string unproven = Said([&](std::ostream& out) { return PromoteNode(place_, {}, out); });
  EXPECT_EQ(unproven.find("1: the old primary cannot be reached, which does not show that it is down; nothing was "
                          "changed     " +
                          place_.peer + "/.s.PGSQL.5432: No such file or directory"),
            0U)
      << unproven;
  EXPECT_NE(unproven.find("/promote.sh --primary-is-down"), std::string::npos) << unproven;
  Write(place_.data + "/standby.signal", "");
  EXPECT_EQ(
      Said([&](std::ostream& out) { return PromoteNode(place_, {}, out); }),
      "1: the server of this node cannot be asked; nothing was changed     Wait until it runs: docker compose logs "
      "db-replica");
  EXPECT_EQ(Said([&](std::ostream& out) { return RejoinNode(place_, out); }),
            "1: this node is a standby already; nothing was changed     How it does: docker compose exec db-replica "
            "/health.sh replication");
}

TEST_F(AtANode, NothingIsMadeWhileSomebodyMayHaveTheData) {
  EXPECT_EQ(Said([&](std::ostream& out) { return CloneNode(place_, true, out); }), "3:") << "nobody there";
  place_.peer = SocketDirectory();
  const std::string said = Said([&](std::ostream& out) { return CloneNode(place_, true, out); });
  EXPECT_EQ(said.find("1: this volume is empty, and " + place_.peer + " has data but is not known to be the primary"),
            0U)
      << said;
  EXPECT_FALSE(os::Exists(place_.data));
}

TEST_F(AtANode, AFirstNodeWithDamagedDataDoesNotStart) {
  HaveData();
  EXPECT_EQ(
      Said([&](std::ostream& out) { return StartNode(place_, true, out); }),
      "1: " + place_.data +
          " has no valid pg_control     Restore a backup, or remove this volume when the other node has the data.");
}

TEST_F(AtANode, TheOtherNodeIsNobodyOrUnknown) {
  std::ostringstream said;
  os::NodeLog log(said);
  os::PeerNode peer(place_, host_, log);
  EXPECT_EQ(peer.Role(), os::PeerRole::kNobody) << peer.words();
  EXPECT_FALSE(peer.Upstream());
  EXPECT_EQ(peer.WhyWaiting(), "waiting for " + place_.peer + ": " + peer.words());
  place_.peer = SocketDirectory();
  EXPECT_EQ(peer.Role(), os::PeerRole::kUnknown) << "it asks for no password";
  EXPECT_NE(peer.WhyWaiting().find("a server answers there, but cannot be shown to be the other node"),
            std::string::npos)
      << peer.words();
  EXPECT_FALSE(peer.Upstream()) << "it takes no standbys";
  EXPECT_EQ(ErrorOf([&] { os::AskUpstream("host='" + place_.peer + "' user=nobody", "x", host_); }).sqlstate(),
            "08006");
}

TEST_F(AtANode, DataIsSetAsideAndAnUnfinishedCloneIsKnown) {
  std::ostringstream said;
  os::NodeLog log(said);
  os::PeerNode peer(place_, host_, log);
  os::NodeData data(place_, peer, host_, log);
  EXPECT_FALSE(data.IsUnfinishedClone());
  os::MakeDirectory(place_.Clone(), 0700);
  EXPECT_TRUE(data.IsUnfinishedClone());
  os::RemoveTree(place_.Clone());
  HaveData();
  data.SetAside("it is damaged");
  EXPECT_TRUE(data.IsUnfinishedClone());
  EXPECT_FALSE(os::Exists(place_.data));
  EXPECT_NE(said.str().find("it is damaged: set aside as " + place_.volume + "/pgdata.aside."), std::string::npos);
  place_.data = place_.volume;
  EXPECT_STREQ(ErrorOf([&] { data.SetAside("it is damaged"); }).what(), "it is damaged");
  EXPECT_TRUE(os::Exists(place_.volume));
}

TEST_F(AtANode, AWordIsKeptAndToldOnce) {
  std::ostringstream said;
  os::NodeLog log(said);
  OperatorWord word(place_, log);
  const core::ControlData own{"7437912345678901234", 2};
  EXPECT_FALSE(word.Read(own));
  word.Write("db-primary", 3, own);
  const auto chosen = word.Read(own);
  ASSERT_TRUE(chosen);
  EXPECT_EQ(chosen->node + std::to_string(chosen->timeline), "db-primary3");
  EXPECT_EQ(said.str(), "");
  Write(place_.backups + "/.primary", "anything");
  word.Read(own);
  word.Read(own);
  const auto at = said.str().find("is ignored: it is not what /promote.sh writes");
  EXPECT_NE(at, std::string::npos) << said.str();
  EXPECT_EQ(said.str().find("is ignored", at + 1), std::string::npos);
  unlink(place_.WordKey().c_str());
  word.Write("db-primary", 4, own);
  EXPECT_NE(said.str().find("warning: this word is not kept: after a restart, run this again"), std::string::npos);
}

}  // namespace
