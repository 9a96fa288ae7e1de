#include "real_programs.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <stdexcept>

namespace mfi::test {
namespace {

// A server does not run as root: there, another user runs it, who must own its directory.
constexpr char kAsNobody[] =
    "for a; do case $a in --pgdata=*) d=$(dirname \"${a#*=}\"); chown 65534:65534 \"$d\" \"$d\"/*;; esac; done\n"
    "exec setpriv --reuid=65534 --regid=65534 --clear-groups --pdeathsig TERM \"$REAL\" \"$@\"";

std::string FirstLineOf(const std::string& command) {
  std::string line;
  FILE* pipe = popen(command.c_str(), "r");
  for (int c = 0; pipe != nullptr && (c = fgetc(pipe)) != EOF && c != '\n';) line += static_cast<char>(c);
  if (pipe != nullptr) pclose(pipe);
  return line;
}

}  // namespace

std::string DirectoryOfPrograms() {
  std::string directory = FirstLineOf("\"${PG_CONFIG:-pg_config}\" --bindir");
  if (!os::Exists(directory + "/initdb")) {
    throw std::runtime_error(
        "no initdb beside pg_config: install a PostgreSQL server, or set PG_CONFIG to another one");
  }
  return directory;
}

int MajorOfPrograms() {
  return std::stoi(FirstLineOf("\"" + DirectoryOfPrograms() + "/postgres\" --version").substr(22));
}

RealPrograms::RealPrograms() : real_directory_(DirectoryOfPrograms()) {
  job_.server_major = MajorOfPrograms();
  job_.superuser = "boss";
  for (const std::string& path : {temporary_.path(), job_.scratch_directory}) chmod(path.c_str(), 0711);
  for (const char* name : {"pg_dump", "pg_dumpall", "pg_restore", "initdb", "postgres"}) PutBack(name);
  if (geteuid() == 0) {
    for (const char* name : {"initdb", "postgres"}) Replace(name, kAsNobody);
  }
  // The scripts of this test start the real programs by a shell.
  job_.sandbox.executable = {job_.binary_directory, real_directory_, "/usr/bin", "/bin"};
  const os::ScratchOptions options{.binary_directory = job_.binary_directory,
                                   .directory = temporary_ / "source",
                                   .superuser = job_.superuser,
                                   .server_major = job_.server_major,
                                   .sandbox = job_.sandbox};
  source_ = std::make_unique<os::ScratchServer>(options, host_);
  job_.socket_directory = Sql("SHOW unix_socket_directories");
}

void RealPrograms::Replace(const std::string& name, const std::string& body) {
  std::string script = "REAL='";
  script.append(real_directory_).append("/").append(name).append("'\n").append(body);
  WriteScript(temporary_ / ("bin/" + name), script);
}

void RealPrograms::UseDatabase(const std::string& name, const std::string& properties) {
  database_ = "postgres";
  std::string quoted;
  for (const char c : name) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  Connect().Execute("CREATE DATABASE \"" + quoted + "\" TEMPLATE template0 " + properties);
  database_ = name;
  job_.record.database = name;
}

}  // namespace mfi::test
