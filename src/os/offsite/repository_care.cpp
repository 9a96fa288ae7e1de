#include "os/offsite/repository_care.h"

#include <pwd.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <sstream>

#include "core/base/timestamp.h"

namespace mfi::os {
namespace {

constexpr char kProbeName[] = "may-be-deleted";

std::string HostName() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

std::string UserName() {
  std::array<char, 4096> buffer{};
  struct passwd entry {};
  struct passwd* found = nullptr;
  if (getpwuid_r(geteuid(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return {};
  return found->pw_name;
}

/// A number may be another process's by now, in a container at once.
bool IsAlive(const core::RepositoryLock& lock) {
  if (lock.pid <= 0 || lock.pid > INT32_MAX) return true;
  if (kill(static_cast<pid_t>(lock.pid), 0) != 0 && errno == ESRCH) return false;
  std::ifstream file("/proc/" + std::to_string(lock.pid) + "/comm");
  std::string name;
  return std::getline(file, name) && name == "restic";
}

std::vector<core::RepositoryLock> Locks(const Restic& restic) {
  std::vector<core::RepositoryLock> locks;
  std::istringstream ids(restic.Run({"list", "locks", "--no-lock"}));
  for (std::string id; std::getline(ids, id);) {
    if (id.find_first_not_of("0123456789abcdef") != std::string::npos || id.empty()) continue;
    const ChildResult result = restic.Try({"cat", "lock", id, "--no-lock"});
    // It may have been let go meanwhile.
    if (result.exit_code == 0) locks.push_back(core::ParseLock(result.output));
  }
  return locks;
}

bool IsThere(const Restic& restic, const std::string& tag, const std::string& id) {
  const std::vector<core::Snapshot> snapshots = restic.Snapshots(tag);
  return std::any_of(snapshots.begin(), snapshots.end(), [&](const core::Snapshot& s) { return s.Is(id); });
}

bool IsRefusal(const std::string& words) {
  constexpr std::array<const char*, 5> kSigns{"403", "orbidden", "denied", "not permitted", "ead-only"};
  return std::any_of(kSigns.begin(), kSigns.end(),
                     [&](const char* sign) { return words.find(sign) != std::string::npos; });
}

std::string MakeProbe(const Restic& restic) {
  const std::string made =
      restic.Run({"backup", "--json", "--stdin", std::string("--stdin-filename=") + kProbeName,
                  std::string("--tag=") + kProbeTag + "," + ClusterTag(restic.job().system_identifier),
                  "--host=" + restic.job().node},
                 {.directory = {}, .input = "This snapshot is there to find out who can delete it.\n"});
  return core::ParseCopySummary(made).snapshot;
}

std::vector<std::string> ForgetArguments(const Restic& restic, const std::string& tag) {
  return {"forget", "--json", "--tag=" + tag + "," + ClusterTag(restic.job().system_identifier)};
}

void Refuse(Forgotten& forgotten, const std::string& words) {
  if (forgotten.refused.empty()) forgotten.refused = words;
}

void ForgetOf(const Restic& restic, const std::string& tag, const std::vector<std::string>& options,
              Forgotten& forgotten) {
  std::vector<std::string> arguments = ForgetArguments(restic, tag);
  arguments.insert(arguments.end(), options.begin(), options.end());
  const ChildResult result = restic.Try(std::move(arguments));
  const core::ResticError error = core::ParseResticError(result.exit_code, result.errors);
  if (result.exit_code != 0 && !IsRefusal(result.errors)) restic.Fail(result);
  if (result.exit_code != 0) return Refuse(forgotten, error.words);
  // restic ends with 0, too, when a repository that nobody can delete from has refused it.
  const std::vector<std::string> removed = core::ParseForgotten(result.output);
  if (removed.empty()) return;
  const std::vector<core::Snapshot> left = restic.Snapshots(tag);
  for (const std::string& id : removed) {
    if (std::none_of(left.begin(), left.end(), [&](const core::Snapshot& snapshot) { return snapshot.id == id; })) {
      forgotten.snapshots.push_back(id);
    } else {
      Refuse(forgotten, result.errors.empty() ? "the repository kept it" : error.words);
    }
  }
}

/// A set is the cluster's, whichever node has copied it.
std::vector<std::string> OfSets(const std::vector<core::KeptPeriods>& rule) {
  std::vector<std::string> options = core::KeepOptions(rule);
  options.emplace_back("--group-by=");
  return options;
}

/// Of a node's recovery store, each copy of which reaches back as far as mfi.recovery_window, only days are kept.
std::vector<std::string> OfStores(const std::vector<core::KeptPeriods>& rule) {
  std::vector<core::KeptPeriods> days;
  std::copy_if(rule.begin(), rule.end(), std::back_inserter(days), [](const auto& kept) { return kept.unit == 'd'; });
  std::vector<std::string> options = core::KeepOptions(days);
  options.insert(options.end(), {"--keep-last=2", "--group-by=host"});
  return options;
}

}  // namespace

void ReleaseOwnLocks(const Restic& restic) {
  const std::string host = HostName();
  const std::string user = UserName();
  const auto is_own_left = [&](const core::RepositoryLock& lock) {
    return lock.host == host && lock.user == user && !IsAlive(lock);
  };
  const std::vector<core::RepositoryLock> locks = Locks(restic);
  if (locks.empty() || !std::all_of(locks.begin(), locks.end(), is_own_left)) return;
  restic.Run({"unlock"});
  const std::vector<core::RepositoryLock> left = Locks(restic);
  // restic takes a process of that number for the one that has the lock.
  if (!left.empty() && std::all_of(left.begin(), left.end(), is_own_left)) restic.Run({"unlock", "--remove-all"});
}

void ProbeDeletion(const Restic& restic, core::OffsiteState& state) {
  if (state.probe.empty() || !IsThere(restic, kProbeTag, state.probe)) {
    // One that an earlier state knew of, so that they do not become more and more.
    const std::vector<core::Snapshot> probes = restic.Snapshots(kProbeTag);
    const auto own = std::find_if(probes.begin(), probes.end(),
                                  [&](const core::Snapshot& probe) { return probe.host == restic.job().node; });
    state.probe = own != probes.end() ? own->id : MakeProbe(restic);
  }
  const ChildResult result = restic.Try({"forget", state.probe});
  if (IsThere(restic, kProbeTag, state.probe)) {
    if (result.exit_code != 0 && !IsRefusal(result.errors)) restic.Fail(result);
    state.deletable = false;
    return;
  }
  state.deletable = true;
  state.probe.clear();
}

std::string CheckPart(const Restic& restic, int part) {
  const std::string subset = "--read-data-subset=" + std::to_string(part) + "/" + std::to_string(core::kCheckParts);
  std::string damage;
  // A line that breaks looks like damage: what is found twice, while the repository answers, is none of the line's.
  for (int tries = 0; tries < 2; ++tries) {
    const ChildResult result = restic.Try({"check", subset});
    if (result.exit_code == 0) return {};
    const core::ResticError error = core::ParseResticError(result.exit_code, result.errors);
    if (error.fault != core::ResticFault::kOther) restic.Fail(result);
    restic.Contact();
    damage = error.words;
  }
  return damage;
}

Forgotten Forget(const Restic& restic, const std::vector<core::KeptPeriods>& rule) {
  Forgotten forgotten;
  ForgetOf(restic, kSetTag, OfSets(rule), forgotten);
  ForgetOf(restic, kRecoveryTag, OfStores(rule), forgotten);
  // Only packs of which nothing is needed: nothing is read and sent again.
  if (forgotten.refused.empty()) restic.Run({"prune", "--max-unused=unlimited"});
  return forgotten;
}

}  // namespace mfi::os
