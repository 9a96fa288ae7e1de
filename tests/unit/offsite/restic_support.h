#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>

#include "os/base/file.h"
#include "os/offsite/restic.h"
#include "support.h"

namespace mfi::test {

/// What no program makes smaller.
inline std::string Noise(std::size_t bytes) {
  std::string noise;
  for (std::uint32_t state = 1; noise.size() < bytes;) {
    state = state * 1664525U + 1013904223U;
    noise.append(reinterpret_cast<const char*>(&state), sizeof(state));
  }
  return noise;
}

/// restic itself, on a repository in a directory, and an empty backup directory.
class ResticFixture : public testing::Test {
 protected:
  ResticFixture() {
    job_.repository = temporary_ / "repository";
    job_.password_file = temporary_ / "password";
    job_.cache_directory = temporary_ / "cache";
    job_.node = kNode;
    job_.system_identifier = kSystem;
    Write(job_.password_file, "secret\n");
    chmod(job_.password_file.c_str(), 0600);
    os::MakeDirectory(Backups(), 0700);
    directory_.Prepare();
  }

  void Init() { os::Restic(job_, host_).Run({"init"}); }
  std::string Backups() const { return temporary_ / "backups"; }

  TempDirectory temporary_;
  os::OffsiteJob job_;
  TestHost host_;
  os::BackupDirectory directory_{Backups(), kNode};
};

}  // namespace mfi::test
