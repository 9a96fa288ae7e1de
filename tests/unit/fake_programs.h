#pragma once

#include <string>

#include "os/base/file.h"
#include "os/restore/scratch_server.h"
#include "support.h"

namespace mfi::test {

/// A backup directory, a scratch directory and a directory of programs that are shell scripts, with a job that uses
/// them.
class FakePrograms : public testing::Test {
 protected:
  FakePrograms() {
    for (const char* name : {"backups", "data", "scratch", "bin"}) os::MakeDirectory(temporary_ / name, 0700);
    directory_.Prepare();
    job_.record = SampleRun(host_.now, core::RunState::kQueued);
    job_.directory = directory_.root();
    job_.data_directory = temporary_ / "data";
    job_.binary_directory = temporary_ / "bin";
    job_.server_major = 17;
    job_.socket_directory = temporary_ / "data";
    job_.port = 5432;
    job_.superuser = "postgres";
    job_.compression = "none";
    job_.lock_timeout_ms = 60'000;
    job_.verify = mfi::core::VerifyMethod::kList;
    job_.scratch_directory = temporary_ / "scratch";
    for (const char* name : {"pg_dump", "pg_dumpall", "pg_restore"}) Program(name, "");
  }

  /// A program that knows its version and does `body` for anything else.
  void Program(const std::string& name, const std::string& body, const std::string& version = "17.11 (Debian)") {
    WriteScript(temporary_ / ("bin/" + name),
                "if [ \"$1\" = --version ]; then echo '" + name + " (PostgreSQL) " + version + "'; exit; fi\n" + body);
  }

  /// How the paths of the node's scratch servers begin.
  std::string ScratchOfNode() const { return os::ScratchPath(job_.scratch_directory, kNode); }

  bool ScratchIsThere() const {
    return os::IsDirectory(job_.scratch_directory) && !os::ListDirectory(job_.scratch_directory).empty();
  }

  TempDirectory temporary_;
  os::BackupDirectory directory_{temporary_ / "backups", kNode};
  TestHost host_;
  os::BackupJob job_;
};

}  // namespace mfi::test
