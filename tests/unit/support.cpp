#include "support.h"

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "core/base/names.h"
#include "os/base/directory.h"
#include "os/base/file.h"

namespace mfi::test {

bool IsLongForm() {
  const char* long_form = std::getenv("MFI_LONG");
  return long_form != nullptr && *long_form != '\0';
}

TempDirectory::TempDirectory() : path_(testing::TempDir() + "mfi-unit-XXXXXX") {
  if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error("no temporary directory " + path_);
}

TempDirectory::~TempDirectory() { os::RemoveTree(path_); }

void Write(const std::string& path, std::string_view content) {
  std::ofstream file(path, std::ios::binary);
  file << content;
  if (!file.flush()) throw std::runtime_error("could not write " + path);
}

void WriteScript(const std::string& path, const std::string& body) {
  Write(path, "#!/bin/sh\n" + body + "\n");
  chmod(path.c_str(), 0755);
}

unsigned ModeOf(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(lstat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777U;
}

std::string TargetOf(const std::string& link) {
  std::array<char, 4096> target{};
  const ssize_t length = readlink(link.c_str(), target.data(), target.size());
  return length < 0 ? "" : std::string(target.data(), static_cast<std::size_t>(length));
}

bool Eventually(const std::function<bool()>& is_so) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!is_so()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    poll(nullptr, 0, 5);
  }
  return true;
}

bool IsGone(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string number;
  std::string name;
  std::string state = "Z";
  stat >> number >> name >> state;
  return state == "Z";
}

Forked::Forked(const std::function<int()>& body) : pid_(fork()) {
  if (pid_ == 0) _exit(body());
}

Forked::~Forked() {
  if (pid_ > 0) {
    Kill();
    Wait();
  }
}

void Forked::Kill() { kill(pid_, SIGKILL); }

int Forked::Wait() {
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

std::string DigestOf(std::string_view content) { return std::to_string(std::hash<std::string_view>()(content)); }

void TestHost::Wait(int fd, bool for_write, std::chrono::milliseconds limit) {
  if (stop_when && stop_when())
    throw core::Stop(core::Stop::Reason::kCancelled, core::sqlstate::kQueryCanceled, "told to stop");
  pollfd wanted{.fd = fd, .events = static_cast<short>(for_write ? POLLOUT : POLLIN), .revents = 0};
  poll(&wanted, 1, static_cast<int>(limit.count()));
}

std::string TestHost::Sha256OfFile(int fd, const std::string& shown) {
  return DigestOf(os::ReadAll(fd, shown, std::int64_t{1} << 30));
}

void TestHost::Progress(core::RunState state, std::int64_t) {
  if (states.empty() || states.back() != state) states.push_back(state);
}

core::RunRecord SampleRun(core::UtcSeconds queued_at, core::RunState state) {
  core::RunRecord run;
  run.id = core::RunId("bank", queued_at);
  run.state = state;
  run.trigger = "manual";
  run.database = "bank";
  run.node = kNode;
  run.queued_at = queued_at;
  return run;
}

core::Manifest SampleManifest(core::UtcSeconds queued_at) {
  core::Manifest manifest;
  manifest.run = SampleRun(queued_at);
  manifest.run.finished_at = queued_at + 60;
  manifest.run.system_identifier = kSystem;
  manifest.run.path = manifest.run.id + "/bank.dump";
  manifest.run.size_bytes = 12;
  manifest.run.verify_method = mfi::core::VerifyMethod::kList;
  manifest.run.verify_result = "ok";
  manifest.run.verified_at = queued_at + 60;
  manifest.database.name = "bank";
  manifest.files = {{"bank.dump", 7, DigestOf("archive")}, {"globals.sql", 5, DigestOf("roles")}};
  return manifest;
}

void PublishSample(const os::BackupDirectory& directory, const core::Manifest& manifest) {
  const std::string partial = directory.PartialPath(manifest.run.id);
  os::MakeDirectory(partial, 0700);
  Write(partial + "/bank.dump", "archive");
  Write(partial + "/globals.sql", "roles");
  directory.Publish(manifest);
}

}  // namespace mfi::test
